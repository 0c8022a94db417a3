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

// An api makes the calls. It takes the library's parameters and sends them as
// JSON, one request each. The library itself sends every call as a form of
// several parts, written through a pipe by a goroutine of its own: that costs
// twice as much, and the calls are the greatest part of what an update costs.
//
// What it returns instead of a result is a *refusal or a *lost.
type api struct{ wire wire }

// newAPI returns the api of a server, by a client or by connections of our own.
func newAPI(c *http.Client, server, token string) (*api, error) {
	base, err := url.Parse(server + "/bot" + token + "/")
	if err != nil {
		return nil, err
	}
	return &api{newWire(c, *base)}, nil
}

// SendMessage returns the new message's id.
func (a *api) SendMessage(ctx context.Context, p *telegram.SendMessageParams) (int, error) {
	result, err := a.do(ctx, "sendMessage", p)
	if err != nil {
		return 0, err
	}
	id, ok := integer(member(result, "message_id"))
	if !ok {
		return 0, unreadable()
	}
	return int(id), nil
}

// EditMessageText changes a message.
func (a *api) EditMessageText(ctx context.Context, p *telegram.EditMessageTextParams) error {
	result, err := a.do(ctx, "editMessageText", p)
	if err != nil {
		return err
	}
	if _, ok := integer(member(result, "message_id")); !ok {
		return unreadable()
	}
	return nil
}

// DeleteMessage deletes a message.
func (a *api) DeleteMessage(ctx context.Context, p *telegram.DeleteMessageParams) error {
	return a.yes(ctx, "deleteMessage", p)
}

// DeleteMessages deletes messages, and leaves out those that are not there.
func (a *api) DeleteMessages(ctx context.Context, p *telegram.DeleteMessagesParams) error {
	return a.yes(ctx, "deleteMessages", p)
}

// AnswerCallbackQuery ends the waiting sign on a button.
func (a *api) AnswerCallbackQuery(ctx context.Context, p *telegram.AnswerCallbackQueryParams) error {
	return a.yes(ctx, "answerCallbackQuery", p)
}

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
	result, err := a.do(ctx, "getWebhookInfo", struct{}{})
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
	result, err := a.do(ctx, method, params)
	if err == nil && string(result) != "true" {
		return unreadable()
	}
	return err
}

// unreadable says that a call succeeded, and no more.
func unreadable() *refusal { return &refusal{kind: down, perhaps: true} }

// do performs a call and returns its result.
func (a *api) do(ctx context.Context, method string, params any) (result []byte, err error) {
	got, err := a.send(ctx, method, params)
	if err != nil {
		return nil, err
	}
	if got.status >= 500 || !complete(got.body) {
		return nil, lostAnswer(got)
	}
	switch string(member(got.body, "ok")) {
	case "true":
		return member(got.body, "result"), nil
	case "false":
		return nil, refused(got)
	}
	return nil, lostAnswer(got)
}

// send sends a call and returns the answer, whatever its status.
func (a *api) send(ctx context.Context, method string, params any) (answer, error) {
	content, err := json.Marshal(params)
	if err != nil {
		return answer{}, &refusal{kind: malformed}
	}
	return a.wire.post(ctx, method, content)
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
