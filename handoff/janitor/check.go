package janitor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

// Check makes sure that the credential can purge the officers' channel: it finds
// the channel, and purges a thread that the bot wrote to itself, with a reply
// that was edited. Nobody is told of it. The error says what to do.
func (j *Janitor) Check(ctx context.Context) error {
	if _, err := j.where(ctx); err != nil {
		return err
	}
	channel, thread, err := j.try(ctx)
	if err != nil {
		return err
	}
	done, err := j.purge(ctx, channel, thread)
	if err != nil {
		return err
	}
	if done.Posts != 2 {
		return errors.New("janitor: the test thread of two posts was not all found; the bot's messages to itself can be deleted by hand")
	}
	return nil
}

// try makes the test thread: the bot's direct messages to itself reach nobody.
func (j *Janitor) try(ctx context.Context) (channel, thread string, err error) {
	var me, direct, root, reply struct{ ID string }
	ask := func(method, path string, body, into any) error {
		status, err := j.bot.do(ctx, method, path, body, into)
		if err == nil && status >= 300 {
			err = fmt.Errorf("janitor: the bot cannot write to itself, to try the janitor on: status %d; it needs create_direct_channel", status)
		}
		return err
	}
	if err := ask(http.MethodGet, "/users/me", nil, &me); err != nil {
		return "", "", err
	}
	if err := ask(http.MethodPost, "/channels/direct", []string{me.ID, me.ID}, &direct); err != nil {
		return "", "", err
	}
	post := func(root, text string) map[string]string {
		return map[string]string{"channel_id": direct.ID, "root_id": root, "message": text}
	}
	if err := ask(http.MethodPost, "/posts", post("", "A test of the janitor."), &root); err != nil {
		return "", "", err
	}
	if err := ask(http.MethodPost, "/posts", post(root.ID, "A reply."), &reply); err != nil {
		return "", "", err
	}
	if err := ask(http.MethodPut, "/posts/"+url.PathEscape(reply.ID)+"/patch", map[string]string{"message": "A reply that was edited."}, nil); err != nil {
		return "", "", err
	}
	return direct.ID, root.ID, nil
}
