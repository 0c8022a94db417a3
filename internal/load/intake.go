package load

import (
	"fmt"
	"io/fs"
	"strings"

	"go.yaml.in/yaml/v3"

	"suar/flows"
	"suar/internal/load/crowd"
)

// steps is how many updates a conversation is.
const steps = 9

// Words are the texts of the book that is built in, by key, in one language, and
// the language's own name under "name".
func Words(language string) (map[string]string, error) {
	raw, err := fs.ReadFile(flows.Shipped(), "text/"+language+".yaml")
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	var catalogue struct {
		Name  string
		Texts map[string]string
	}
	if err := yaml.Unmarshal(raw, &catalogue); err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	for key, text := range catalogue.Texts {
		catalogue.Texts[key] = strings.TrimSpace(text)
	}
	catalogue.Texts["name"] = catalogue.Name
	return catalogue.Texts, nil
}

// Intake is a conversation of nine updates through the book that is built in:
// /start, the language on the cover, "Contact the embassy", two gates, three
// questions, and "Delete & leave". One
// that ends as a case asks for a person in its last step.
func Intake() (crowd.Script, error) {
	words, err := Words("en")
	if err != nil {
		return crowd.Script{}, err
	}
	word := func(key string) string {
		text, ok := words[key]
		if !ok && err == nil {
			err = fmt.Errorf("load: the book has no text %q", key)
		}
		return text
	}
	s := crowd.Script{
		Steps: []crowd.Step{
			{Say: "/start", Shows: word("consular.home")},
			{Press: word("name"), Shows: word("consular.home")},
			{Press: word("consular.home.help"), Shows: word("opening.now")},
			{Press: word("opening.now.yes"), Shows: word("opening.notice")},
			{Press: word("opening.notice.agree"), Shows: word("opening.need")},
			{Press: word("opening.need.me"), Shows: word("victim.citizen")},
			{Press: word("victim.citizen.yes"), Shows: word("victim.minor")},
			{Press: word("victim.minor.no"), Shows: word("victim.free")},
			{Press: word("ui.leave")},
		},
		Case: &crowd.Step{Press: word("ui.person"), Shows: word("ui.status.alerting")},
	}
	return s, err
}
