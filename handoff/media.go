package handoff

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/mattermost/mattermost/server/public/model"

	"suar/flows"
	"suar/internal/engine"
)

// errNoFile says that the server took a file and did not put it into the post.
var errNoFile = errors.New("handoff: the post is there without its file")

// once makes a post in the case's thread, unless an earlier try of the delivery
// did.
func (d *Desk) once(ctx context.Context, p place, dl engine.Delivery, build func() (*model.Post, error)) (flows.Delivered, error) {
	if dl.Tries > 1 {
		there, err := d.keysInThread(ctx, p, dl.Thread)
		if err != nil {
			return flows.Delivered{}, err
		}
		if id, ok := there[d.relayKey(dl.ID, 0)]; ok {
			return flows.Delivered{Post: id}, nil
		}
	}
	post, err := build()
	if err != nil {
		return flows.Delivered{}, err
	}
	id, err := d.create(ctx, p, post)
	return flows.Delivered{Post: id}, err
}

// offer posts a line with its button. The button names the card, since the line
// is not what the engine knows the case by.
func (d *Desk) offer(ctx context.Context, p place, dl engine.Delivery, e flows.Offer) (flows.Delivered, error) {
	return d.once(ctx, p, dl, func() (*model.Post, error) {
		post := d.newPost(p, dl, 0, ours(e.Text))
		b := d.lineButton(dl, flows.Action{Name: flows.ActionShow, Choice: string(e.Media), Label: e.Label})
		post.AddProp(model.PostPropsAttachments, []*model.MessageAttachment{{
			Fallback: ours(e.Label),
			Actions: []*model.PostAction{{
				Id: actionID(flows.ActionShow), Type: model.PostActionTypeButton, Name: ours(e.Label),
				Integration: &model.PostActionIntegration{URL: d.CallbackURL + actionPath, Context: b.fields()},
			}},
		}})
		return post, nil
	})
}

// present uploads what is kept and posts it. A try that is lost between the two
// leaves a file in the server that no post shows and no thread's end removes.
func (d *Desk) present(ctx context.Context, p place, dl engine.Delivery, e flows.Present) (flows.Delivered, error) {
	return d.once(ctx, p, dl, func() (*model.Post, error) {
		content, err := d.content(ctx, dl.Conversation, e.Media)
		if err != nil {
			return nil, err
		}
		return d.withFile(ctx, p, dl, e.Text, e.Name+extension(e.Type), content)
	})
}

// withFile uploads a file and returns the post that shows it.
func (d *Desk) withFile(ctx context.Context, p place, dl engine.Delivery, text, name string, content []byte) (*model.Post, error) {
	up, resp, err := d.client.UploadFile(ctx, content, p.channel, name)
	switch {
	case err != nil && resp != nil && (resp.StatusCode == http.StatusForbidden || resp.StatusCode == http.StatusNotImplemented):
		// A right is missing, or files are off: the person's words must not wait
		// for that. The officers are told.
		return nil, refused(resp, err)
	case err != nil:
		return nil, failure(resp, err)
	case len(up.FileInfos) != 1:
		return nil, &engine.Failure{Status: resp.StatusCode, Err: errNoFile}
	}
	post := d.newPost(p, dl, 0, ours(text))
	post.FileIds = model.StringArray{up.FileInfos[0].Id}
	return post, nil
}

// content returns what is kept under a name.
func (d *Desk) content(ctx context.Context, conversation string, id flows.MediaID) ([]byte, error) {
	if d.Media == nil {
		return nil, &engine.Failure{Reason: flows.ReasonLost, Final: true}
	}
	content, err := d.Media(ctx, conversation, id)
	switch {
	case errors.Is(err, engine.ErrNoMedia), errors.Is(err, engine.ErrStep):
		return nil, &engine.Failure{Reason: flows.ReasonLost, Final: true, Err: err}
	case err != nil:
		return nil, &engine.Failure{Err: err}
	}
	return content, nil
}

// extension is how the name of a file of a media type ends: Mattermost and the
// officers' clients go by it.
func extension(mediaType string) string {
	switch mediaType {
	case "image/jpeg":
		return ".jpg"
	case "image/png":
		return ".png"
	case "image/webp":
		return ".webp"
	case "audio/ogg":
		return ".ogg"
	}
	return ""
}

// restate gives a line of ours its new words and takes its button off. A line
// that is not there needs neither.
func (d *Desk) restate(ctx context.Context, p place, e flows.Restate) error {
	old, resp, err := d.client.GetPost(ctx, string(e.Post), "")
	if err != nil {
		return failure(resp, err)
	}
	if old.UserId != p.bot {
		return &engine.Failure{Reason: flows.ReasonRejected, Final: true, Err: fmt.Errorf("handoff: a line that is not ours")}
	}
	props := old.GetProps()
	delete(props, model.PostPropsAttachments)
	props[model.PostPropsUnsafeLinks] = "true"
	message := ours(e.Text)
	_, resp, err = d.client.PatchPost(ctx, old.Id, &model.PostPatch{Message: &message, Props: &props})
	if err != nil && resp != nil && resp.StatusCode == http.StatusForbidden {
		return refused(resp, err)
	}
	if err != nil {
		return failure(resp, err)
	}
	return nil
}
