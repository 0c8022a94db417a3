package telegramtest

import "encoding/json"

// Valid holds JSON against a definition of the schema: "TelegramUpdate", or
// "params:" or "result:" and a method.
func Valid(definition string, raw json.RawMessage) error {
	return schema().validateJSON(definition, raw)
}
