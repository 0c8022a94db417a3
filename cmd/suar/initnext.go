package main

import (
	"fmt"
	"strings"
)

// next are the steps that are left.
func (o *initiation) next() string {
	var b strings.Builder
	n := 0
	step := func(text string, commands ...string) {
		n++
		fmt.Fprintf(&b, "\n%d. %s\n", n, text)
		for _, c := range commands {
			fmt.Fprintf(&b, "     %s\n", c)
		}
	}
	secrets, config := o.folder+"/secrets", o.folder+"/suar.yaml"
	owner := "suar:suar"
	b.WriteString("\nWhat is left to do:\n")
	step("Put the bot's token, which BotFather gave you, there:",
		"(umask 077; cat > "+secrets+"/telegram-token)")
	step("Put each officer's line, and a recovery key's, into "+o.folder+"/recipients:",
		"suar keys new --help")
	step("Fill in " + o.folder + "/directory.yaml, and call every number.")
	step("Make the channel, the bot and its token in Mattermost:",
		"suar setup mattermost --config "+config+" --login ADMINISTRATOR")
	step("Keep a copy of " + secrets + "/vault-key offline: without it no backup opens.")
	if o.answers.run == "compose" {
		owner = "65532:65532"
		step("Hand the secrets and the data to the container's user:",
			"install -d -m 0700 "+o.data,
			"chown -R "+owner+" "+secrets+" "+o.data,
			"chmod 0400 "+secrets+"/*")
		step("See that nothing is missing, and start it:",
			"docker compose -f "+o.folder+"/compose.yaml run --rm suar check --config "+config,
			"docker compose -f "+o.folder+"/compose.yaml up -d")
		return b.String()
	}
	step("Hand the secrets and the data to the hotline's user:",
		"useradd --system --home-dir /nonexistent --shell /usr/sbin/nologin suar",
		"install -d -m 0700 "+o.data,
		"chown -R "+owner+" "+secrets+" "+o.data,
		"chmod 0400 "+secrets+"/*")
	step("See that nothing is missing, and start it:",
		"sudo -u suar suar check --config "+config,
		"cp "+o.folder+"/suar.service /etc/systemd/system/",
		"systemctl daemon-reload && systemctl enable --now suar")
	return b.String()
}
