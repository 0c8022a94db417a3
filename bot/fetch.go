package bot

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/go-telegram/bot/models"

	"suar/flows"
	"suar/internal/engine"
)

// ErrUnsuited says that what was fetched is not to be taken, now or later: it is
// not what it was said to be, or cannot be cleaned.
var ErrUnsuited = errors.New("bot: what was fetched is nothing that is taken")

// fetches bounds the files that are in memory at once.
const fetches = 2

// fileOf is where something attached can be fetched, empty for what is never
// taken, and how long it is said to be. It names nothing but Telegram's own
// number of the file.
func fileOf(m *models.Message) (id flows.FileID, size int) {
	switch {
	case len(m.Photo) > 0:
		// Telegram gives a photo in several sizes; the greatest one that is taken.
		best := m.Photo[0]
		for _, p := range m.Photo {
			if p.FileSize <= flows.MaxMedia && (best.FileSize > flows.MaxMedia || p.Width*p.Height > best.Width*best.Height) {
				best = p
			}
		}
		return fileID(best.FileID), best.FileSize
	case m.Voice != nil:
		return fileID(m.Voice.FileID), int(min(m.Voice.FileSize, 1<<31-1))
	case m.Document != nil && m.Animation == nil &&
		slices.Contains([]string{"image/jpeg", "image/png", "image/webp"}, m.Document.MimeType):
		return fileID(m.Document.FileID), int(min(m.Document.FileSize, 1<<31-1))
	}
	return "", 0
}

// fileID is a number of a file as Telegram makes them.
func fileID(id string) flows.FileID {
	if len(id) > 256 {
		return ""
	}
	return flows.FileID(id)
}

// fetch takes a file in: it asks Telegram where the file is, reads it, however
// long it was said to be, up to what is taken, and hands it to who cleans and
// keeps it. A file is never read twice at the same time by one process, nor more
// than a few in all.
func (c conversation) fetch(ctx context.Context, d engine.Delivery, e flows.Fetch) (flows.Held, error) {
	if c.b.cfg.Keep == nil {
		return flows.Held{}, final(flows.ReasonUnsuited)
	}
	select {
	case c.b.files.slots <- struct{}{}:
		defer func() { <-c.b.files.slots }()
	case <-ctx.Done():
		return flows.Held{}, notYet(ctx, 0)
	}
	var path string
	err := c.call(ctx, func(ctx context.Context) (err error) {
		path, err = c.b.api.file(ctx, string(e.File))
		return err
	})
	if err != nil {
		return flows.Held{}, gone(err)
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	raw, err := c.b.files.read(ctx, path)
	if err != nil {
		return flows.Held{}, err
	}
	held, err := c.b.cfg.Keep(ctx, d.Conversation, e, raw)
	switch {
	case errors.Is(err, ErrUnsuited):
		return flows.Held{}, final(flows.ReasonUnsuited)
	case err != nil:
		return flows.Held{}, &engine.Failure{Err: err}
	}
	return held, nil
}

// final is a failure of this one file.
func final(why flows.Reason) *engine.Failure { return &engine.Failure{Reason: why, Final: true} }

// gone is the failure of a file that Telegram does not give. That it refuses a
// file says nothing of the chat.
func gone(err error) error {
	switch r := refuse(err); r.kind {
	case large:
		return final(flows.ReasonTooLarge)
	case malformed, closed, missing:
		return final(flows.ReasonGone)
	default:
		return err
	}
}

// files reads what people sent from Telegram.
type files struct {
	http  *http.Client
	base  url.URL // ends with the token and a slash: never print it
	slots chan struct{}
}

func newFiles(c *http.Client, server, token string) (*files, error) {
	base, err := url.Parse(server + "/file/bot" + token + "/")
	if err != nil {
		return nil, err
	}
	var own http.Client
	if c != nil {
		own = *c
	} else {
		own.Transport = http.DefaultTransport.(*http.Transport).Clone() //nolint:forbidigo // A copy of its settings.
	}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &files{http: &own, base: *base, slots: make(chan struct{}, fetches)}, nil
}

// filePath is how Telegram names where a file is.
var filePath = regexp.MustCompile(`^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*(\.[A-Za-z0-9]+)?$`)

// read reads a whole file, up to flows.MaxMedia. What it returns instead is an
// *engine.Failure if the file is longer, otherwise a *refusal or a *lost.
func (f *files) read(ctx context.Context, path string) ([]byte, error) {
	if !filePath.MatchString(path) {
		return nil, unreadable()
	}
	address := f.base
	address.Path += path
	r := (&http.Request{Method: http.MethodGet, URL: &address, Header: http.Header{}}).WithContext(ctx)
	resp, err := f.http.Do(r)
	if err != nil {
		return nil, &lost{sent: reached(err), cause: contextError(ctx, err)}
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode != http.StatusOK:
		// Its place is good for an hour only: with the next try it is asked for anew.
		return nil, &lost{status: resp.StatusCode, after: retryAfter(resp.Header.Get("Retry-After"))}
	case resp.ContentLength > flows.MaxMedia:
		return nil, final(flows.ReasonTooLarge)
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, flows.MaxMedia+1))
	switch {
	case len(raw) > flows.MaxMedia:
		return nil, final(flows.ReasonTooLarge)
	case err != nil:
		return nil, &lost{status: resp.StatusCode, cause: contextError(ctx, err)}
	}
	return raw, nil
}

// file returns where a file can be read.
func (a *api) file(ctx context.Context, id string) (path string, err error) {
	result, err := a.do(ctx, "getFile", append(appendText([]byte(`{"file_id":`), id), '}'))
	if err != nil {
		return "", err
	}
	path = strings.Trim(string(member(result, "file_path")), `"`)
	if path == "" {
		return "", unreadable()
	}
	return strings.ReplaceAll(path, `\/`, "/"), nil
}
