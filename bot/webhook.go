package bot

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"io"
	"net/http"
	"time"

	telegram "github.com/go-telegram/bot"
)

const (
	// maxUpdate bounds a request's body. Telegram sends at most 64 KiB.
	maxUpdate = 1 << 20
	// bodyLimit is how long a body may take.
	bodyLimit = 10 * time.Second
	// watch is how often Run asks whether the webhook is still ours.
	watch = 5 * time.Minute
	// webhookConnections is how many updates Telegram may send at once.
	webhookConnections = 40
)

// ServeHTTP receives an update from Telegram. It answers 200 only after the
// engine has made the update durable, or it was put aside because it could not
// be read; whatever else it answers, Telegram sends the update again.
//
// It answers 405 to anything but POST, 401 without the secret, 413 to a body of
// more than 1 MiB, 400 to one that is empty or does not arrive, and 503 when
// the event could not be kept.
func (b *Bot) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status := b.receive(w, r)
	if status != http.StatusOK {
		b.health.refused.Add(1)
		b.log.Warn("webhook", "status", status)
	}
	w.WriteHeader(status)
}

func (b *Bot) receive(w http.ResponseWriter, r *http.Request) (status int) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return http.StatusMethodNotAllowed
	}
	if !b.authentic(r.Header.Get("X-Telegram-Bot-Api-Secret-Token")) {
		return http.StatusUnauthorized
	}
	if r.ContentLength > maxUpdate {
		return http.StatusRequestEntityTooLarge
	}
	// Not every server can set a deadline; the others have one of their own.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyLimit))
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxUpdate))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return http.StatusRequestEntityTooLarge
	case err != nil || len(raw) == 0:
		return http.StatusBadRequest
	}
	u := read(raw)
	if u.query != "" {
		b.acknowledge([]string{u.query}, func(f func()) { go f() })
	}
	select {
	case b.busy <- struct{}{}:
		defer func() { <-b.busy }()
	case <-r.Context().Done():
		return http.StatusServiceUnavailable
	}
	if err := b.take(r.Context(), u); err != nil {
		b.log.Warn("update not taken", "kind", u.kind, "class", class(err))
		return http.StatusServiceUnavailable
	}
	return http.StatusOK
}

// authentic compares in constant time, the lengths too. Without a secret of
// ours nothing is authentic.
func (b *Bot) authentic(secret string) bool {
	if b.cfg.WebhookSecret.Empty() {
		return false
	}
	want, got := sha256.Sum256([]byte(b.cfg.WebhookSecret.Reveal())), sha256.Sum256([]byte(secret))
	return subtle.ConstantTimeCompare(want[:], got[:]) == 1
}

// runWebhook is Run in the mode Webhook: it tells Telegram where to send
// updates and watches that this stays so.
func (b *Bot) runWebhook(ctx context.Context) error {
	if b.cfg.WebhookURL == "" {
		b.health.receiving.Store(true)
		<-ctx.Done()
		return nil
	}
	set := false
	for failed := 0; ctx.Err() == nil; {
		err := b.keepWebhook(ctx, set)
		b.health.asked(err)
		if err == nil {
			set, failed = true, 0
			sleep(ctx, watch)
			continue
		}
		if ctx.Err() != nil {
			break
		}
		r := refuse(err)
		if r.kind == unknown {
			b.log.Error("telegram does not accept the token", "status", r.status)
			return ErrToken
		}
		b.log.Warn("webhook not set", "status", r.status, "class", string(r.kind))
		sleep(ctx, max(b.backoff(failed), r.after))
		failed++
	}
	return nil //nolint:nilerr // The end of ctx is the end of Run, and no fault.
}

// keepWebhook sets the webhook if it is not ours. Once it was, another address
// means that somebody else holds the token.
func (b *Bot) keepWebhook(ctx context.Context, set bool) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if set {
		info, err := b.api.GetWebhookInfo(ctx)
		if err != nil {
			return err
		}
		if info.URL == b.cfg.WebhookURL {
			if info.LastErrorMessage != "" {
				b.log.Info("telegram had trouble with the webhook", "count", info.PendingUpdateCount)
			}
			return nil
		}
		b.health.conflicts.Add(1)
		b.log.Error("another program changed this bot's webhook")
	}
	_, err := b.api.SetWebhook(ctx, &telegram.SetWebhookParams{
		URL:            b.cfg.WebhookURL,
		SecretToken:    b.cfg.WebhookSecret.Reveal(),
		AllowedUpdates: allowed[:],
		MaxConnections: webhookConnections,
	})
	return err
}
