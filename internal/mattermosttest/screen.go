package mattermosttest

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/gorilla/websocket"
	"github.com/mattermost/mattermost/server/public/model"
)

// patience is how long a test waits for what must come, on a machine that is busy
// with much else.
const patience = 2 * time.Minute

// A Screen is an open client of somebody's: what the server pushes to it, in
// order. It is used by one goroutine.
type Screen struct {
	w      *World
	as     Account
	client *model.WebSocketClient
	// ConnectionID is what the server called the connection.
	ConnectionID string
	// Last is the sequence number of the last event read.
	Last int64
}

// Watch opens a client for the account. It is closed with the test.
func (w *World) Watch(as Account) *Screen {
	w.t.Helper()
	s := w.resume(as, "", 0)
	hello := s.Next(model.WebsocketEventHello)
	s.ConnectionID, _ = hello.GetData()["connection_id"].(string)
	return s
}

// resume opens a client that asks to continue a connection at a sequence
// number.
func (w *World) resume(as Account, connection string, sequence int64) *Screen {
	w.t.Helper()
	address := "ws" + strings.TrimPrefix(w.URL, "http")
	c, err := model.NewReliableWebSocketClientWithDialer(websocket.DefaultDialer, address, as.Token, connection, int(sequence), true)
	if err != nil {
		w.t.Fatalf("open a websocket as %s: %v", as.Username, err)
	}
	c.Listen()
	// Answers to our own requests are of no interest, and the client stands
	// still when nobody reads them.
	go func() {
		for range c.ResponseChannel {
		}
	}()
	w.t.Cleanup(c.Close)
	return &Screen{w: w, as: as, client: c, ConnectionID: connection}
}

// Close ends the connection, as a network does that goes away.
func (s *Screen) Close() { s.client.Close() }

// Next waits for the next event of one of the types, or of any type if none is
// given, and passes over others. The test ends if none comes.
func (s *Screen) Next(types ...model.WebsocketEventType) *model.WebSocketEvent {
	s.w.t.Helper()
	late := time.After(patience)
	for {
		select {
		case ev, ok := <-s.client.EventChannel:
			if !ok {
				s.w.t.Fatalf("%s's connection closed while waiting for %v", s.as.Username, types)
			}
			s.Last = ev.GetSequence()
			if len(types) == 0 {
				return ev
			}
			for _, want := range types {
				if ev.EventType() == want {
					return ev
				}
			}
		case <-late:
			s.w.t.Fatalf("%s sees no %v", s.as.Username, types)
		}
	}
}

// Post waits for the next event of the type that carries a post, and returns
// it.
func (s *Screen) Post(of model.WebsocketEventType) *model.Post {
	s.w.t.Helper()
	p := &model.Post{}
	s.decode(s.Next(of), "post", p)
	return p
}

// Ephemeral waits for words that only this person sees.
func (s *Screen) Ephemeral() string {
	s.w.t.Helper()
	return s.Post(model.WebsocketEventEphemeralMessage).Message
}

// What clients see, for tests that do not know Mattermost's library.
type (
	// Dialog is a dialog as a client knows it.
	Dialog = model.OpenDialogRequest
	// DialogAnswer is what the bot says to what was filled in.
	DialogAnswer = model.SubmitDialogResponse
	// Attachment is a card beneath a post.
	Attachment = model.MessageAttachment
	// Action is a button or a menu of an Attachment.
	Action = model.PostAction
)

// Ephemeral is how an answer says that only who asked sees it.
const Ephemeral = model.CommandResponseTypeEphemeral

// Dialog waits for a dialog to open. What it returns is what the client knows,
// for SubmitDialog.
func (s *Screen) Dialog() *model.OpenDialogRequest {
	s.w.t.Helper()
	d := &model.OpenDialogRequest{}
	s.decode(s.Next(model.WebsocketEventOpenDialog), "dialog", d)
	return d
}

// DialogUnless is Dialog, but returns nil if instead this person alone is told
// these words.
func (s *Screen) DialogUnless(words string) *model.OpenDialogRequest {
	s.w.t.Helper()
	for {
		ev := s.Next(model.WebsocketEventOpenDialog, model.WebsocketEventEphemeralMessage)
		if ev.EventType() == model.WebsocketEventOpenDialog {
			d := &model.OpenDialogRequest{}
			s.decode(ev, "dialog", d)
			return d
		}
		var told model.Post
		if s.decode(ev, "post", &told); told.Message == words {
			return nil
		}
	}
}

// decode reads a field of an event's data, JSON in a string.
func (s *Screen) decode(ev *model.WebSocketEvent, field string, into any) {
	s.w.t.Helper()
	text, _ := ev.GetData()[field].(string)
	if err := json.Unmarshal([]byte(text), into); err != nil {
		s.w.t.Fatalf("%s without a %s: %v", ev.EventType(), field, err)
	}
}
