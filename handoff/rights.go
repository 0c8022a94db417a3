package handoff

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/mattermost/mattermost/server/public/model"
)

// neededRights is what the bot does, in the names of Mattermost's permissions.
func neededRights() []string {
	return []string{
		"read_channel", "read_channel_content", "view_members", // who is an officer, and what he writes
		"create_post", "edit_post", // cards, replies and their changes
		"add_reaction", "remove_reaction", // the signs that tell an officer what became of his words
	}
}

// directRight is what the bot needs beside them to call officers of a roster by
// direct messages.
const directRight = "create_direct_channel"

// harmlessRights are those of the least permissions that docs/mattermost.md
// names which the bot itself makes no use of: roles are global without a
// licence, and officers need them.
func harmlessRights() []string {
	return []string{
		directRight, "view_team", "delete_post", "upload_file",
		"create_post_ephemeral", "manage_own_slash_commands",
	}
}

// checkRights looks at what the roles of the bot's account let it do in the
// channel.
func (d *Desk) checkRights(ctx context.Context, me *model.User, channel *model.Channel, member *model.ChannelMember, grave, note func(what, do string)) {
	names := strings.Fields(me.Roles + " " + member.Roles)
	inTeam, _, err := d.client.GetTeamMember(ctx, channel.TeamId, me.Id, "")
	if err == nil {
		names = append(names, strings.Fields(inTeam.Roles)...)
	}
	var roles []*model.Role
	if err == nil {
		roles, _, err = d.client.GetRolesByNames(ctx, names)
	}
	if err != nil {
		note("Mattermost does not tell what the bot may do.", "Compare its roles with docs/mattermost.md.")
		return
	}
	has := map[string]bool{}
	for _, r := range roles {
		for _, right := range r.Permissions {
			has[right] = true
		}
	}
	var missing []string
	needed := neededRights()
	if d.Roster != nil {
		needed = append(needed, directRight)
	}
	for _, right := range needed {
		if !has[right] {
			missing = append(missing, right)
		}
		delete(has, right)
	}
	if len(missing) > 0 {
		grave("The bot may not do what it must: "+strings.Join(missing, ", ")+".",
			"Add the missing permissions to the role channel_user (view_members to system_user), with mmctl permissions add or in the system console.")
	}
	for _, right := range harmlessRights() {
		delete(has, right)
	}
	if len(has) > 0 {
		note("The bot, and with it every officer, may do more than the hotline needs: "+some(has)+".",
			"Take from the roles what docs/mattermost.md does not name, with mmctl permissions remove or in the system console.")
	}
}

// some names a few of the rights, the worst first: who may add others to the
// channel lets them read the cases, and use_channel_mentions is what a person's
// @channel would need.
func some(rights map[string]bool) string {
	const shown = 5
	worst := []string{"manage_private_channel_members", "use_channel_mentions", "use_group_mentions"}
	var names []string
	for right := range rights {
		names = append(names, right)
	}
	rank := func(right string) int {
		if i := slices.Index(worst, right); i >= 0 {
			return i
		}
		return len(worst)
	}
	slices.SortFunc(names, func(a, b string) int {
		if n := rank(a) - rank(b); n != 0 {
			return n
		}
		return strings.Compare(a, b)
	})
	if len(names) <= shown {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), len(names)-shown)
}
