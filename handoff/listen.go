package handoff

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"github.com/mattermost/mattermost/server/public/model"
)

const (
	// silence is how long the socket may be quiet: the server pings it every
	// 54 s.
	silence = 75 * time.Second
	// maxEvent is far more than the longest post needs.
	maxEvent = 8 << 20
	// savedEvery is how often the place up to which everything was handed over
	// is saved.
	savedEvery = 5 * time.Second
	maxWait    = 10 * time.Second
)

// Why a session ends.
var (
	errGap    = errors.New("handoff: the websocket skipped an event")
	errClosed = errors.New("handoff: the websocket closed")
	errFrame  = errors.New("handoff: the websocket sent what is no event")
	// errRemoved says that the bot was out of a channel, of which it heard
	// nothing in that time.
	errRemoved = errors.New("handoff: the bot was added to a channel")
)

// Run listens to the channel until ctx ends and returns nil then. Everything
// that an officer writes, edits or deletes under a card is handed over, in
// order in each thread, at least once and for the engine once: the socket gives
// it at once, and what it may have missed is read again. An event is let go of
// only when Handle took it. While something is wrong Fault says so, and Run
// goes on trying.
func (d *Desk) Run(ctx context.Context) error {
	var trail sync.WaitGroup
	trail.Go(func() { d.keepTrail(ctx) })
	d.listenInTurn(ctx)
	trail.Wait()
	// That it ends because it was told to is nothing to log.
	d.mu.Lock()
	d.fault = errNotYet
	d.mu.Unlock()
	return nil
}

// listen is Run for as long as this process is the one that listens.
func (d *Desk) listen(ctx context.Context, r *right) {
	d.setListening(true)
	defer d.setListening(false)
	d.began = d.Now()
	l := &listener{Desk: d, missed: true, directs: make(chan direct, mostDirects)}
	// The lanes end with ctx; what they still hold is read again by the next
	// process.
	l.lanes = newLanes(func(c change) bool { return d.handle(ctx, r, c) })
	defer l.lanes.done.Wait()
	defer l.typed.done.Wait()
	boarded, unboard := context.WithCancel(ctx)
	var board sync.WaitGroup
	board.Go(func() { d.keepBoard(boarded, r) })
	board.Go(func() { l.answerDirects(boarded) })
	defer board.Wait()
	defer unboard()
	l.lanes.done.Go(func() { d.witness(ctx) })
	wait := 100 * time.Millisecond
	for {
		l.heard = false
		err := l.session(ctx)
		if ctx.Err() != nil {
			return
		}
		d.setFault(err)
		if l.heard {
			wait = 100 * time.Millisecond
		}
		// Only a socket that closed can be resumed. One that stayed open may
		// have said nothing because we were not allowed to hear it.
		l.missed = l.missed || !errors.Is(err, errClosed)
		if sleep(ctx, wait/2+d.spread(wait)) != nil {
			return
		}
		wait = min(2*wait, maxWait)
	}
}

// A listener is what lasts from one connection to the next.
type listener struct {
	*Desk
	lanes *lanes
	typed typed
	place place
	// connection and last are the server's name of the connection and the
	// sequence of its last event, with which it can be resumed.
	connection string
	last       int64
	// directs are what was written to the bot alone and is not answered yet.
	directs chan direct
	// missed says that something may have happened unheard since the mark.
	missed bool
	// heard says that the session was of use.
	heard bool
	// mark is the update_at up to which everything was handed over or waits in
	// the lanes; saved is where the server keeps it for the next process.
	mark, saved int64
	// floor is up to when no post is new to the engine, 0 for never.
	floor int64
}

// session is one connection, from dialling to its end.
func (l *listener) session(ctx context.Context) error {
	var err error
	if l.place, err = l.where(ctx); err != nil {
		return err
	}
	if l.mark == 0 {
		if l.mark, err = l.loadMark(ctx); err != nil {
			return err
		}
		if !l.Restored.IsZero() {
			// Before the first process after the restoring saves one, the mark is
			// that of the store that is lost.
			l.floor = min(l.mark, l.Restored.UnixMilli())
		}
	}
	conn, err := l.dial(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	events := make(chan *model.WebSocketEvent, 256)
	go func() { cancel(l.read(ctx, conn, events)) }()
	go func() { cancel(l.beat(ctx)) }()
	// Closing the connection ends the reader, which may outlive us a moment.
	defer conn.Close()

	if !l.missed {
		l.fine()
	}
	save := time.NewTicker(savedEvery)
	defer save.Stop()
	for {
		// What ends or is due comes before what happened, always.
		select {
		case <-ctx.Done():
			l.saveMark(context.WithoutCancel(ctx))
			return context.Cause(ctx)
		case <-save.C:
			l.saveMark(ctx)
			continue
		default:
		}
		select {
		case <-ctx.Done():
			continue
		case <-save.C:
			l.saveMark(ctx)
		case ev := <-events:
			if err := l.take(ctx, ev); err != nil {
				return err
			}
		}
	}
}

func (l *listener) fine() {
	l.heard = true
	l.setFault(nil)
}

// dial opens the socket, as a continuation of the last connection if there was
// one. The library's own client cannot be cancelled and hides why it failed.
func (l *listener) dial(ctx context.Context) (*websocket.Conn, error) {
	address, err := url.Parse(l.URL + model.APIURLSuffix + "/websocket")
	if err != nil {
		return nil, err
	}
	address.Scheme = "ws" + strings.TrimPrefix(address.Scheme, "http")
	if l.missed {
		l.connection = "" // so that a hello comes, and with it a catch-up
	}
	if l.connection != "" {
		address.RawQuery = url.Values{
			"connection_id": {l.connection}, "sequence_number": {strconv.FormatInt(l.last+1, 10)},
		}.Encode()
	}
	dialer := websocket.Dialer{HandshakeTimeout: requestTimeout}
	if t, ok := l.Transport.(*http.Transport); ok {
		dialer.TLSClientConfig, dialer.Proxy, dialer.NetDialContext = t.TLSClientConfig, t.Proxy, t.DialContext
	}
	//nolint:bodyclose // the library says that it need not be closed
	conn, resp, err := dialer.DialContext(ctx, address.String(), http.Header{"Authorization": {"Bearer " + l.Token.Reveal()}})
	if err != nil {
		f := &faultError{err: err}
		if resp != nil {
			f.status = resp.StatusCode
		}
		return nil, f
	}
	conn.SetReadLimit(maxEvent)
	alive := func() error { return conn.SetReadDeadline(time.Now().Add(silence)) }
	conn.SetPingHandler(func(data string) error {
		if err := conn.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(silence)); err != nil {
			return err
		}
		return alive()
	})
	return conn, alive()
}

// read passes the events on until the connection ends, and returns why.
func (l *listener) read(ctx context.Context, conn *websocket.Conn, events chan<- *model.WebSocketEvent) error {
	for {
		_, frame, err := conn.ReadMessage()
		if err != nil {
			return errClosed
		}
		ev, err := model.WebSocketEventFromJSON(bytes.NewReader(frame))
		if err != nil {
			return errFrame
		}
		if !ev.IsValid() {
			continue // an answer to a request; we make none
		}
		select {
		case events <- ev:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// beat asks beside the socket whether the bot still is who it is and where it
// should be, and returns when it is not: a socket whose token was revoked stays
// open and says nothing.
func (l *listener) beat(ctx context.Context) error {
	for failures := 0; ; {
		if err := sleep(ctx, l.Heartbeat); err != nil {
			return err
		}
		_, resp, err := l.client.GetChannelMember(ctx, l.place.channel, l.place.bot, "")
		if err == nil {
			failures = 0
			continue
		}
		refused := resp != nil && resp.StatusCode >= 400 && resp.StatusCode < 500 && resp.StatusCode != http.StatusTooManyRequests
		if failures++; refused || failures > 1 {
			return failed(resp, err)
		}
	}
}

// mostDirects is how many direct messages wait for their answer.
const mostDirects = 32

// answerDirects answers what was written to the bot alone until ctx ends. What it was
// sent meanwhile stays unanswered: it is for nobody else, and nothing waits for it.
func (l *listener) answerDirects(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case x := <-l.directs:
			p, err := l.where(ctx)
			if err == nil {
				l.answerDirect(ctx, p, x)
			}
		}
	}
}

// take deals with one event of the socket.
func (l *listener) take(ctx context.Context, ev *model.WebSocketEvent) error {
	if ev.EventType() == model.WebsocketEventHello {
		// A hello means that nothing was resumed.
		l.connection, _ = ev.GetData()["connection_id"].(string)
		l.last, l.missed = ev.GetSequence(), true
		l.index.lost()
		if err := l.catchUp(ctx); err != nil {
			return err
		}
		l.missed = false
		l.fine()
		return nil
	}
	if ev.GetSequence() != l.last+1 || l.missed {
		return errGap
	}
	var kind what
	switch ev.EventType() {
	case model.WebsocketEventUserAdded:
		if who, _ := ev.GetData()["user_id"].(string); who == l.place.bot {
			return errRemoved
		}
		l.last = ev.GetSequence()
		return nil
	case model.WebsocketEventTyping:
		l.types(ctx, ev)
		l.last = ev.GetSequence()
		return nil
	case model.WebsocketEventPosted:
		kind = created
	case model.WebsocketEventPostEdited:
		kind = edited
	case model.WebsocketEventPostDeleted:
		kind = deleted
	case model.WebsocketEventUserRemoved, model.WebsocketEventUserUpdated, model.WebsocketEventUserActivationStatusChange:
		l.index.left.Store(true)
		l.index.wake()
		l.last = ev.GetSequence()
		return nil
	default:
		l.last = ev.GetSequence()
		return nil
	}
	text, _ := ev.GetData()["post"].(string)
	var post model.Post
	if err := json.Unmarshal([]byte(text), &post); err != nil {
		return errFrame
	}
	l.index.hear(l.place, &post, kind == deleted)
	if kind == created && l.place.isDirect(ev, &post) {
		select {
		case l.directs <- direct{&post}:
		default: // Whoever gets no answer asks again.
		}
	}
	// Pinning a post is an edit without a time.
	if l.place.concerns(&post) && (kind != edited || post.EditAt != 0) || kind == deleted && l.place.card(&post) {
		if err := l.lanes.offer(ctx, change{what: kind, post: &post}); err != nil {
			return err
		}
	}
	// Only now may a resumed connection go on after it.
	l.last = ev.GetSequence()
	if post.ChannelId == l.place.channel {
		l.mark = max(l.mark, post.UpdateAt)
	}
	return nil
}
