package janitor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"suar/internal/secret"
)

const (
	requestTimeout = 15 * time.Second
	// maxAnswer is far more than a page of the longest posts needs, in bytes.
	maxAnswer = 64 << 20
)

// An api is Mattermost as one credential reaches it. The official client will
// not do: it has no word for a page without whole threads, and its errors hold
// ids.
type api struct {
	address string
	token   secret.Secret
	client  *http.Client
}

func newAPI(address string, token secret.Secret, carrier http.RoundTripper) api {
	return api{address, token, &http.Client{
		Transport: carrier,
		Timeout:   requestTimeout,
		// The token must not follow a redirect, and none is expected.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// do sends a request, with the JSON of body unless it is nil, and reads a
// successful answer into the value that into points to, unless it is nil. The
// error is of the way there: it holds no id and no word of the server's.
func (a api) do(ctx context.Context, method, path string, body, into any) (status int, err error) {
	var content io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return 0, fmt.Errorf("janitor: %w", err)
		}
		content = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, a.address+"/api/v4"+path, content)
	if err != nil {
		return 0, errors.New("janitor: no request can be made of an id")
	}
	if !a.token.Empty() {
		req.Header.Set("Authorization", "Bearer "+a.token.Reveal())
	}
	resp, err := a.client.Do(req)
	if err != nil {
		if wrapped, ok := errors.AsType[*url.Error](err); ok {
			err = wrapped.Err // The address around it has ids in it.
		}
		return 0, fmt.Errorf("janitor: Mattermost does not answer: %w", err)
	}
	defer resp.Body.Close()
	answer := io.LimitReader(resp.Body, maxAnswer)
	if into != nil && resp.StatusCode < 300 {
		if err := json.NewDecoder(answer).Decode(into); err != nil {
			return 0, errors.New("janitor: an answer of Mattermost does not read")
		}
	}
	_, _ = io.Copy(io.Discard, answer) // So that the connection can be used again.
	return resp.StatusCode, nil
}
