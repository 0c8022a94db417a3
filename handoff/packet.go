package handoff

import (
	"context"
	"errors"
	"net/http"

	"github.com/mattermost/mattermost/server/public/model"

	"suar/flows"
	"suar/internal/engine"
)

// errUnpacked says that what is to be referred could not be sealed: the partner's
// recipient is no key.
var errUnpacked = errors.New("handoff: the partner's recipient is no key")

// refer seals what a partner is given and posts it as a file. Only the partner
// opens it: neither Mattermost nor the officers do.
func (d *Desk) refer(ctx context.Context, p place, dl engine.Delivery, e flows.Refer) (flows.Delivered, error) {
	return d.once(ctx, p, dl, func() (*model.Post, error) {
		if d.Pack == nil {
			return nil, &engine.Failure{Reason: flows.ReasonRejected, Final: true, Err: errUnpacked}
		}
		content, err := d.Pack(e.Recipient, []byte(e.Content))
		if err != nil {
			return nil, &engine.Failure{Reason: flows.ReasonRejected, Final: true, Err: errUnpacked}
		}
		return d.withFile(ctx, p, dl, e.Text, e.Name, content)
	})
}

// retract deletes a post of ours. Mattermost keeps a deleted post and its file until
// the case's thread is purged; what is in the file opens to the partner alone.
func (d *Desk) retract(ctx context.Context, p place, e flows.Retract) error {
	old, resp, err := d.client.GetPost(ctx, string(e.Post), "")
	switch {
	case resp != nil && resp.StatusCode == http.StatusNotFound:
		return nil // It is gone already.
	case err != nil:
		return failure(resp, err)
	case old.UserId != p.bot:
		return &engine.Failure{Reason: flows.ReasonRejected, Final: true, Err: errForeign}
	}
	resp, err = d.client.DeletePost(ctx, old.Id)
	switch {
	case err == nil, resp != nil && resp.StatusCode == http.StatusNotFound:
		return nil
	case resp != nil && resp.StatusCode == http.StatusForbidden:
		return refused(resp, err)
	}
	return failure(resp, err)
}
