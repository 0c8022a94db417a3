package handoff

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/mattermost/mattermost/server/public/model"
)

// mention is what Mattermost may take for a mention: more than it does, because
// a remark among colleagues must not reach somebody who is held.
var mention = regexp.MustCompile(`(?:^|[^A-Za-z0-9_])@([A-Za-z0-9._-]+)`)

// mostMentioned is how many names of a post are looked up. Nobody writes more to
// a person.
const mostMentioned = 20

// mentions reports whether a text mentions everybody, somebody on call, or a
// member of the channel. Another name is no mention: an officer may well give a
// person one.
func (d *Desk) mentions(ctx context.Context, text string) (bool, error) {
	var names []string
	for _, found := range mention.FindAllStringSubmatch(text, -1) {
		name := strings.ToLower(found[1])
		for _, name := range []string{name, strings.TrimRight(name, "._-")} { // The end of a sentence, or of the name.
			if name != "" && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	if slices.ContainsFunc(names, func(name string) bool {
		return slices.Contains([]string{"all", "channel", "here"}, name) || slices.Contains(d.OnCall, name)
	}) || len(names) > mostMentioned {
		return true, nil
	}
	for _, name := range names {
		if member, err := d.member(ctx, name); member || err != nil {
			return member, err
		}
	}
	return false, nil
}

// member reports whether a user name is one of the channel's.
func (d *Desk) member(ctx context.Context, name string) (bool, error) {
	p, err := d.where(ctx)
	if err != nil {
		return false, err
	}
	user, resp, err := d.client.GetUserByUsername(ctx, name, "")
	switch {
	case nobody(resp):
		return false, nil
	case err != nil:
		return false, failed(resp, err)
	}
	_, resp, err = d.client.GetChannelMember(ctx, p.channel, user.Id, "")
	switch {
	case nobody(resp):
		return false, nil
	case err != nil:
		return false, failed(resp, err)
	}
	return true, nil
}

// nobody reports whether the server's answer is that there is no such user or
// member, or none that the bot may know of.
func nobody(resp *model.Response) bool {
	return resp != nil && slices.Contains([]int{http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound}, resp.StatusCode)
}
