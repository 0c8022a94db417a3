// Package janitor takes the threads of ended cases out of Mattermost for good.
//
// What anybody deletes in Mattermost is only hidden: the words, each earlier
// version of them and the files stay in its database and on its disk. Deleting
// for good is an administrator's, so that the bot cannot do it and must not: a
// Janitor has a credential of its own. Even so the server leaves much behind
// when it is asked for a thread by its root: the files of the replies and the
// reactions on them, and each earlier version of the card. So a Janitor names
// every row by itself, and reads the channel again until none is left.
package janitor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"suar/flows"
	"suar/internal/secret"
)

// A Config is what a Janitor is made of: the officers' channel and the bot as
// the desk has them, and one credential, Socket or Token.
type Config struct {
	// URL is Mattermost's address, such as https://chat.example.org.
	URL string
	// Channel is the officers' channel, its id or "team/channel". What is in no
	// such channel is not touched.
	Channel string
	// Bot is the access token of the hotline's bot. It sees whether files are gone,
	// and makes the post that Check tries the credential on.
	Bot secret.Secret
	// Socket is the path of Mattermost's local socket, on which it asks for no
	// login: whoever may open the file is an administrator. Mattermost must run on
	// this machine, with EnableLocalMode.
	Socket string
	// Token is the access token of a system administrator, where there is no Socket.
	// Mattermost must have EnableAPIPostDeletion.
	Token secret.Secret
	// Transport carries what does not go through the socket; nil is one of our own.
	Transport http.RoundTripper
}

// Purged is what a call took away: posts of a thread, its root included, and the
// files in them. What a call before had taken away is not counted again.
type Purged struct{ Posts, Files int }

// Errors that a person has to do something about. Others mean to try again.
var (
	// ErrRefused is that Mattermost deletes nothing for good for this credential. The
	// error's text says what is missing.
	ErrRefused = errors.New("janitor: Mattermost deletes nothing for good")
	// ErrForeign is a thread that is no card in the officers' channel. It was not
	// touched.
	ErrForeign = errors.New("janitor: this is no thread of the officers' channel; nothing was deleted")
	// ErrKept is that Mattermost said it deleted something, and it is still there.
	ErrKept = errors.New("janitor: Mattermost still shows what it said it had deleted")
)

// A Janitor purges threads. Its methods may be called from several goroutines.
type Janitor struct {
	channel  string
	deleting api // with the credential
	bot      api
	socket   bool
}

// New returns a Janitor. It does not reach out: Check says whether the
// credential is good.
func New(c Config) (*Janitor, error) {
	var faults []error
	need := func(ok bool, what string) {
		if !ok {
			faults = append(faults, errors.New("janitor: "+what))
		}
	}
	u, err := url.Parse(c.URL)
	need(err == nil && u != nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https"), "URL is not an http address")
	need(c.Channel != "", "Channel is missing")
	need(!c.Bot.Empty(), "Bot is missing")
	need((c.Socket == "") != c.Token.Empty(), "want one of Socket and Token")
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	if c.Transport == nil {
		c.Transport = &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute}
	}
	address := strings.TrimRight(c.URL, "/")
	j := &Janitor{
		channel:  c.Channel,
		socket:   c.Socket != "",
		bot:      newAPI(address, c.Bot, c.Transport),
		deleting: newAPI(address, c.Token, c.Transport),
	}
	if j.socket {
		j.deleting = newAPI("http://local", secret.Secret{}, &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				var d net.Dialer
				return d.DialContext(ctx, "unix", c.Socket)
			},
			MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute,
		})
	}
	return j, nil
}

// Purge takes a thread of the officers' channel away for good: the replies,
// hidden ones and each earlier version too, with their reactions and files, and
// the root at the end. It returns when reading back shows nothing of it.
//
// It may be called again at any time, also while another process purges the same
// thread: one that is gone is Purged{}. A call that fails or is cancelled has
// made progress, and leaves the root, so that the next goes on; from its first
// moment nobody sees or answers the thread any more.
func (j *Janitor) Purge(ctx context.Context, thread flows.PostID) (Purged, error) {
	channel, err := j.where(ctx)
	if err != nil {
		return Purged{}, err
	}
	return j.purge(ctx, channel, string(thread))
}

// where is the id of the officers' channel.
func (j *Janitor) where(ctx context.Context) (string, error) {
	path := "/channels/" + url.PathEscape(j.channel)
	if team, name, ok := strings.Cut(j.channel, "/"); ok {
		path = "/teams/name/" + url.PathEscape(team) + "/channels/name/" + url.PathEscape(name)
	}
	var channel struct{ ID string }
	status, err := j.deleting.do(ctx, http.MethodGet, path, nil, &channel)
	if err != nil {
		return "", err
	}
	if status != http.StatusOK {
		return "", j.refused("find the officers' channel", status)
	}
	return channel.ID, nil
}

// purge is Purge in a channel.
func (j *Janitor) purge(ctx context.Context, channel, thread string) (Purged, error) {
	s := sweep{j: j, gone: map[string]bool{}, files: map[string]bool{}}
	status, err := j.deleting.do(ctx, http.MethodGet, postPath(thread)+"?include_deleted=true", nil, &s.root)
	switch {
	case err != nil:
		return Purged{}, err
	case status == http.StatusNotFound:
		return Purged{}, nil
	case status != http.StatusOK:
		return Purged{}, j.refused("read a thread", status)
	case s.root.Channel != channel || s.root.Root != "" || s.root.Original != "":
		return Purged{}, ErrForeign
	}
	s.note(s.root)
	// Hidden, it takes neither replies nor edits: nothing can come after the sweep.
	if s.root.Deleted == 0 {
		status, err := j.deleting.do(ctx, http.MethodDelete, postPath(thread), nil, nil)
		if err != nil {
			return s.purged, err
		}
		if status != http.StatusOK && status != http.StatusNotFound {
			return s.purged, j.refused("hide a thread", status)
		}
	}
	for clean := false; !clean; {
		if clean, err = s.pass(ctx); err != nil {
			return s.purged, err
		}
	}
	if err := s.remove(ctx, s.root); err != nil {
		return s.purged, err
	}
	return s.purged, s.verify(ctx)
}

// refused says what an answer means, in words for who runs the hotline.
func (j *Janitor) refused(what string, status int) error {
	do := ""
	switch status {
	case http.StatusUnauthorized:
		do = "the janitor's token is not valid: make a new one"
	case http.StatusForbidden:
		do = "the janitor's token is not a system administrator's"
	case http.StatusNotImplemented:
		do = "set ServiceSettings.EnableAPIPostDeletion to true in Mattermost, or give the janitor its local socket"
	case http.StatusNotFound:
		do = "it is not there: compare mattermost.channel"
	default:
		return fmt.Errorf("janitor: %s: Mattermost answers with status %d; it is tried again", what, status)
	}
	return fmt.Errorf("%w: %s: status %d: %s", ErrRefused, what, status, do)
}
