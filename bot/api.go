package bot

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	telegram "github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"
)

// An api makes the calls. It sends the parameters as JSON, one request each. The library itself sends every call as a form of
// several parts, written through a pipe by a goroutine of its own: that costs
// twice as much, and the calls are the greatest part of what an update costs.
//
// What it returns instead of a result is a *refusal or a *lost.
type api struct {
	quick wire
	slow  wire // for what is rare, or long
}

// newAPI returns the api of a server, by a client or by connections of its own.
func newAPI(c *http.Client, server, token string) (*api, error) {
	base, err := url.Parse(server + "/bot" + token + "/")
	if err != nil {
		return nil, err
	}
	a := new(api)
	a.quick, a.slow = newWires(c, *base)
	return a, nil
}

// send sends a new message and returns its id.
func (a *api) send(ctx context.Context, m message) (int, error) {
	result, err := a.say(ctx, "sendMessage", m)
	if err != nil {
		return 0, err
	}
	id, ok := integer(member(result, "message_id"))
	if !ok {
		return 0, unreadable()
	}
	return int(id), nil
}

// edit changes a message.
func (a *api) edit(ctx context.Context, m message) error {
	result, err := a.say(ctx, "editMessageText", m)
	if err != nil {
		return err
	}
	if _, ok := integer(member(result, "message_id")); !ok {
		return unreadable()
	}
	return nil
}

// roomForParams is as much as most messages need.
const roomForParams = 1024

// say performs a call whose parameters are a message.
func (a *api) say(ctx context.Context, method string, m message) ([]byte, error) {
	fast, ok := a.quick.(*fastWire)
	if !ok {
		return a.do(ctx, method, m.params(make([]byte, 0, roomForParams)))
	}
	room := fast.rooms.Get().(*[]byte)
	defer fast.rooms.Put(room) // Nobody reads it after the call.
	*room = m.params((*room)[:0])
	return a.do(ctx, method, *room)
}

// remove deletes a message.
func (a *api) remove(ctx context.Context, chat int64, id int) error {
	return a.yes(ctx, "deleteMessage", &telegram.DeleteMessageParams{ChatID: chat, MessageID: id})
}

// removeAll deletes messages, and leaves out those that are not there.
func (a *api) removeAll(ctx context.Context, chat int64, ids []int) error {
	return a.agreed(ctx, "deleteMessages", deletion(nil, chat, ids))
}

// acknowledge ends the waiting signs on buttons. It returns an error for each
// press that Telegram did not take.
func (a *api) acknowledge(ctx context.Context, queries []string) (errs []error) {
	contents := make([][]byte, len(queries))
	for i, query := range queries {
		contents[i] = append(appendText([]byte(`{"callback_query_id":`), query), '}')
	}
	const method = "answerCallbackQuery"
	fast, ok := a.quick.(*fastWire)
	for ok && len(contents) > 1 {
		answers, err := fast.postAll(ctx, method, contents)
		for _, got := range answers {
			if _, err := result(got); err != nil {
				errs = append(errs, err)
			}
		}
		if contents = contents[len(answers):]; err != nil && len(answers) == 0 {
			break // Perhaps what is there takes no calls in a row.
		}
		// The connection ended before the rest. It is asked for on another one.
	}
	for _, content := range contents {
		if err := a.agreed(ctx, method, content); err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// atOnce is how many presses are acknowledged over one connection.
func (a *api) atOnce() int {
	if _, ok := a.quick.(*fastWire); ok {
		return acksInRow
	}
	return 1
}

// acksInRow is so small that the last of them does not wait for long.
const acksInRow = 10

// SetWebhook tells Telegram where to send updates.
func (a *api) SetWebhook(ctx context.Context, p *telegram.SetWebhookParams) (bool, error) {
	err := a.yes(ctx, "setWebhook", p)
	return err == nil, err
}

// DeleteWebhook makes that updates can be polled.
func (a *api) DeleteWebhook(ctx context.Context, p *telegram.DeleteWebhookParams) error {
	return a.yes(ctx, "deleteWebhook", p)
}

// GetWebhookInfo returns where Telegram sends updates.
func (a *api) GetWebhookInfo(ctx context.Context) (*models.WebhookInfo, error) {
	result, err := a.do(ctx, "getWebhookInfo", []byte("{}"))
	if err != nil {
		return nil, err
	}
	info := new(models.WebhookInfo)
	if json.Unmarshal(result, info) != nil {
		return nil, unreadable()
	}
	return info, nil
}

// yes performs a call whose only result is true.
func (a *api) yes(ctx context.Context, method string, params any) error {
	content, err := json.Marshal(params)
	if err != nil {
		return &refusal{kind: malformed}
	}
	return a.agreed(ctx, method, content)
}

// agreed is yes with the parameters as JSON.
func (a *api) agreed(ctx context.Context, method string, params []byte) error {
	result, err := a.do(ctx, method, params)
	if err == nil && string(result) != "true" {
		return unreadable()
	}
	return err
}

// unreadable says that a call succeeded, and no more.
func unreadable() *refusal { return &refusal{kind: down, perhaps: true} }

// do performs a call and returns its result. params are JSON.
func (a *api) do(ctx context.Context, method string, params []byte) ([]byte, error) {
	got, err := a.quick.post(ctx, method, params)
	if err != nil {
		return nil, err
	}
	return result(got)
}

// result returns the result in an answer.
func result(got answer) ([]byte, error) {
	var ok, value []byte
	if got.status >= 500 || !object(got.body, func(key, v []byte) {
		switch {
		case ok == nil && string(key) == `"ok"`:
			ok = v
		case value == nil && string(key) == `"result"`:
			value = v
		}
	}) {
		return nil, lostAnswer(got)
	}
	switch string(ok) {
	case "true":
		return value, nil
	case "false":
		return nil, refused(got)
	}
	return nil, lostAnswer(got)
}

// refused reads an answer with "ok": false.
func refused(a answer) *refusal {
	status, body := a.status, a.body
	var after time.Duration
	if n, ok := integer(member(member(body, "parameters"), "retry_after")); ok {
		after = time.Duration(min(max(n, 0), 24*3600)) * time.Second
	}
	if n, ok := integer(member(body, "error_code")); ok {
		status = int(n)
	}
	return refusalOf(status, string(member(body, "description")), after)
}
