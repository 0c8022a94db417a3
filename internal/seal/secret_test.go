package seal

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"suar/internal/secret"
)

// Nothing that holds a secret prints it, however it is printed and wherever it
// sits.
func TestSecretsDoNotPrint(t *testing.T) {
	hexKey := "00112233445566778899aabbccddeeff00112233445566778899aabbccddeefe"
	key, err := ParseVaultKey([]byte(hexKey))
	if err != nil {
		t.Fatal(err)
	}
	c := writeCase(t, caseA, newDesk(t).Recipients, lines(1)...)
	type inner struct {
		hidden secret.Secret
		Shown  secret.Secret
		Key    VaultKey
		key    VaultKey
		vault  *Vault
		Tape   Tape
	}
	s := secret.New(canary)
	in := inner{s, s, key, key, NewVault(key), c.tape}
	values := map[string]any{
		"secret": s, "pointer": &s, "slice": []secret.Secret{s}, "map": map[string]secret.Secret{"k": s},
		"struct": in, "pointer to struct": &in, "key": key, "vault": NewVault(key), "value of vault": *NewVault(key),
		"error": fmt.Errorf("x: %w", errors.New(fmt.Sprint(s))),
	}
	leaks := []string{
		canary, fmt.Sprintf("%x", canary), hexKey, fmt.Sprint([]byte(canary)), string(mustHex(hexKey)),
		fmt.Sprintf("%x", NewVault(key).keys().index), fmt.Sprint(NewVault(key).keys().index),
	}
	for name, v := range values {
		var printed []string
		for verb := range strings.SplitSeq("v +v #v s q x X d t T b o c U e g p 10s .3s", " ") {
			printed = append(printed, fmt.Sprintf("%"+verb, v))
		}
		if name != "struct" && name != "pointer to struct" { // A tape in JSON is what the sealed state holds.
			if doc, err := json.Marshal(v); err == nil {
				printed = append(printed, string(doc))
			}
			if doc, err := xml.Marshal(v); err == nil {
				printed = append(printed, string(doc))
			}
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("m", "a", v)
		printed = append(printed, log.String())
		if name != "struct" && name != "pointer to struct" {
			log.Reset()
			slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "a", v)
			printed = append(printed, log.String())
		}
		for _, p := range printed {
			for _, leak := range leaks {
				if strings.Contains(strings.ToLower(p), strings.ToLower(leak)) {
					t.Errorf("%s prints a secret: %.300q", name, p)
				}
			}
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if got := fmt.Sprintf(verb, s); got != "<secret>" {
			t.Errorf("%s prints %q", verb, got)
		}
		got := fmt.Sprintf(verb, c.tape)
		if strings.Contains(got, fmt.Sprintf("%x", c.tape.Chain)) || strings.Contains(got, fmt.Sprint(c.tape.Chain)) {
			t.Errorf("%s prints a tape's chain key", verb)
		}
	}
	if doc, err := json.Marshal(map[string]any{"s": s, "k": key}); err != nil || string(doc) != `{"k":"\u003csecret\u003e","s":"\u003csecret\u003e"}` {
		t.Errorf("JSON: %s, %v", doc, err)
	}
}

func TestSecretReads(t *testing.T) {
	var got struct{ Token secret.Secret }
	if err := json.Unmarshal([]byte(`{"Token":"123456:TEST-TOKEN-canary"}`), &got); err != nil {
		t.Fatal(err)
	}
	if got.Token.Reveal() != "123456:TEST-TOKEN-canary" || got.Token.Empty() {
		t.Error("the secret did not arrive")
	}
	if !got.Token.Equal(secret.New("123456:TEST-TOKEN-canary")) || got.Token.Equal(secret.New("123456:TEST-TOKEN-other")) || got.Token.Equal(secret.Secret{}) {
		t.Error("Equal does not tell secrets apart")
	}
	if !(secret.Secret{}).Empty() || !secret.New("").Equal(secret.Secret{}) {
		t.Error("the zero secret.Secret is not empty")
	}
}

func mustHex(s string) []byte {
	var b []byte
	if _, err := fmt.Sscanf(s, "%x", &b); err != nil {
		panic(err)
	}
	return b
}
