package engine

import (
	"encoding/json"
	"fmt"

	"suar/flows"
)

// effectKind names an effect's type on disk, in the outbox, and in the log.
func effectKind(ef flows.Effect) string {
	switch ef.(type) {
	case flows.Show:
		return "show"
	case flows.Say:
		return "say"
	case flows.Amend:
		return "amend"
	case flows.Erase:
		return "erase"
	case flows.Open:
		return "open"
	case flows.Update:
		return "update"
	case flows.Relay:
		return "relay"
	case flows.Tell:
		return "tell"
	case flows.Page:
		return "page"
	case flows.Mark:
		return "mark"
	case flows.Record:
		return "record"
	}
	return "unknown"
}

// eventKind names an event's type in the log.
func eventKind(ev flows.Event) string {
	switch ev.(type) {
	case flows.Started:
		return "started"
	case flows.Asked:
		return "asked"
	case flows.Said:
		return "said"
	case flows.Chose:
		return "chose"
	case flows.Attached:
		return "attached"
	case flows.Edited:
		return "edited"
	case flows.Blocked:
		return "blocked"
	case flows.Garbled:
		return "garbled"
	case flows.Claimed:
		return "claimed"
	case flows.Replied:
		return "replied"
	case flows.Noted:
		return "noted"
	case flows.Revised:
		return "revised"
	case flows.Withdrawn:
		return "withdrawn"
	case flows.Closed:
		return "closed"
	case flows.TimedOut:
		return "timed out"
	case flows.Delivered:
		return "delivered"
	case flows.Undelivered:
		return "undelivered"
	case nil:
		return "none"
	}
	return "unknown"
}

// effectJSON is an effect of the outbox: {"kind":"say","effect":{…}}.
type effectJSON struct{ flows.Effect }

func (e effectJSON) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Kind   string       `json:"kind"`
		Effect flows.Effect `json:"effect"`
	}{effectKind(e.Effect), e.Effect})
}

func (e *effectJSON) UnmarshalJSON(text []byte) error {
	var raw struct {
		Kind   string          `json:"kind"`
		Effect json.RawMessage `json:"effect"`
	}
	if err := json.Unmarshal(text, &raw); err != nil {
		return err
	}
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
	case "page":
		e.Effect, err = decode[flows.Page](raw.Effect)
	case "mark":
		e.Effect, err = decode[flows.Mark](raw.Effect)
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
