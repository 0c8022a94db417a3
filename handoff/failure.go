package handoff

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/mattermost/mattermost/server/public/model"

	"suar/flows"
	"suar/internal/engine"
)

// How long to leave Mattermost alone.
const (
	afterRefusal = 30 * time.Second // until an administrator did something
	afterPending = time.Second      // until the server finished the same post
	maxAfter     = 5 * time.Minute  // whatever it asks for
)

// failure says what to do about an answer. This is the only table of statuses.
//
//	no answer, half an answer   again; it may have been done
//	400, 413                    final: the content is refused
//	404                         final: the post, the thread or the channel is gone
//	401                         again in 30 s, for everybody: the token is dead
//	403, 3xx                    again in 30 s: a right or the address is wrong, which is not the case's fault;
//	                            so with a channel that is archived. But see refused
//	429                         again when the server says, for everybody
//	5xx, anything else          again; it may have been done
func failure(resp *model.Response, err error) *engine.Failure {
	f := &engine.Failure{Reason: "", Err: err}
	if resp != nil {
		f.Status = resp.StatusCode
	}
	switch s := f.Status; {
	case s == 0, s >= 200 && s < 300:
		f.Perhaps = true
	case isArchived(err):
		f.After = afterRefusal
	case s == http.StatusBadRequest, s == http.StatusRequestEntityTooLarge:
		f.Reason, f.Final = flows.ReasonRejected, true
	case s == http.StatusNotFound:
		f.Reason, f.Final = flows.ReasonGone, true
	case s == http.StatusUnauthorized:
		f.After, f.All = afterRefusal, true
	case s == http.StatusForbidden, s >= 300 && s < 400:
		f.After = afterRefusal
	case s == http.StatusTooManyRequests:
		f.After, f.All = retryAfter(resp.Header), true
	default:
		f.Perhaps = true
		if isPending(err) {
			f.After = afterPending
		}
	}
	return f
}

// refused is a 403 that is final: of what the bot only adorns a case with, its
// signs and its changes to the card. Tried again, it would hold up what the
// person says. Check tells of the missing right.
func refused(resp *model.Response, err error) *engine.Failure {
	return &engine.Failure{Reason: flows.ReasonRejected, Status: resp.StatusCode, Final: true, Err: err}
}

// isArchived says whether the officers' channel takes nothing any more until it
// is restored.
func isArchived(err error) bool {
	app, ok := errors.AsType[*model.AppError](err)
	return ok && app.Id == "api.post.create_post.can_not_post_to_deleted.error"
}

// isPending says whether the server is still at work on a post with the same
// pending id.
func isPending(err error) bool {
	app, ok := errors.AsType[*model.AppError](err)
	return ok && app.Id == "api.post.deduplicate_create_post.pending"
}

// rootGone says whether a reply was refused because its thread is not there,
// which Mattermost calls a bad request.
func rootGone(err error) bool {
	app, ok := errors.AsType[*model.AppError](err)
	return ok && (app.Id == "api.post.create_post.root_id.app_error" || app.Id == "api.post.create_post.channel_root_id.app_error")
}

// retryAfter is what the server asks to wait: seconds, or until a date.
func retryAfter(h http.Header) time.Duration {
	text := h.Get("Retry-After")
	wait := time.Second
	if s, err := strconv.Atoi(text); err == nil {
		if s > int(maxAfter/time.Second) {
			return maxAfter
		}
		wait = time.Duration(s) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		if date, err := http.ParseTime(h.Get("Date")); err == nil {
			wait = at.Sub(date)
		}
	}
	return min(max(wait, time.Second), maxAfter)
}
