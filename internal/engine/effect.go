package engine

import (
	"encoding/json"
	"fmt"

	"suar/flows"
)

// effectJSON is an effect of the outbox: {"kind":"say","effect":{…}}.
type effectJSON struct {
	Kind   string       `json:"kind"`
	Effect flows.Effect `json:"effect"`
}

func newEffectJSON(ef flows.Effect) effectJSON { return effectJSON{flows.EffectKind(ef), ef} }

func (e *effectJSON) UnmarshalJSON(text []byte) error {
	var raw struct {
		Kind   string          `json:"kind"`
		Effect json.RawMessage `json:"effect"`
	}
	if err := json.Unmarshal(text, &raw); err != nil {
		return err
	}
	e.Kind = raw.Kind
	var err error
	switch raw.Kind {
	case "show":
		e.Effect, err = decode[flows.Show](raw.Effect)
	case "say":
		e.Effect, err = decode[flows.Say](raw.Effect)
	case "amend":
		e.Effect, err = decode[flows.Amend](raw.Effect)
	case "erase":
		e.Effect, err = decode[flows.Erase](raw.Effect)
	case "open":
		e.Effect, err = decode[flows.Open](raw.Effect)
	case "update":
		e.Effect, err = decode[flows.Update](raw.Effect)
	case "relay":
		e.Effect, err = decode[flows.Relay](raw.Effect)
	case "tell":
		e.Effect, err = decode[flows.Tell](raw.Effect)
	case "summon":
		e.Effect, err = decode[flows.Summon](raw.Effect)
	case "page":
		e.Effect, err = decode[flows.Page](raw.Effect)
	case "mark":
		e.Effect, err = decode[flows.Mark](raw.Effect)
	case "fetch":
		e.Effect, err = decode[flows.Fetch](raw.Effect)
	case "offer":
		e.Effect, err = decode[flows.Offer](raw.Effect)
	case "present":
		e.Effect, err = decode[flows.Present](raw.Effect)
	case "prompt":
		e.Effect, err = decode[flows.Prompt](raw.Effect)
	case "refer":
		e.Effect, err = decode[flows.Refer](raw.Effect)
	case "retract":
		e.Effect, err = decode[flows.Retract](raw.Effect)
	case "restate":
		e.Effect, err = decode[flows.Restate](raw.Effect)
	case "drop":
		e.Effect, err = decode[flows.Drop](raw.Effect)
	case "hash":
		e.Effect, err = decode[flows.Hash](raw.Effect)
	case "check":
		e.Effect, err = decode[flows.Check](raw.Effect)
	case "hand":
		e.Effect, err = decode[flows.Hand](raw.Effect)
	case "look":
		e.Effect, err = decode[flows.Look](raw.Effect)
	case "seek":
		e.Effect, err = decode[flows.Seek](raw.Effect)
	case "audit":
		e.Effect, err = decode[flows.Audit](raw.Effect)
	case "shred":
		e.Effect, err = decode[flows.Shred](raw.Effect)
	default:
		err = fmt.Errorf("engine: effect of an unknown kind")
	}
	return err
}

func decode[T flows.Effect](text json.RawMessage) (flows.Effect, error) {
	var effect T
	err := json.Unmarshal(text, &effect)
	return effect, err
}
