package mattermosttest

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mattermost/mattermost/server/public/model"

	"suar/internal/mattermosttest/standin"
)

func TestMissingServerIsNamedWithItsCommand(t *testing.T) {
	t.Setenv("SUAR_TEST_MATTERMOST", t.TempDir())
	_, err := findServer()
	if err == nil || !strings.Contains(err.Error(), "mattermost") || !strings.Contains(err.Error(), "SUAR_TEST_MATTERMOST") {
		t.Errorf("error = %v", err)
	}
}

func TestFaults(t *testing.T) {
	w := StandIn(t)
	read := func(patience time.Duration) (int, error) {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		_, resp, err := w.Bot.Client().GetMe(ctx, "")
		if resp == nil {
			return 0, err
		}
		return resp.StatusCode, err
	}

	t.Run("a status and a body, as often as asked for", func(t *testing.T) {
		w.Small.Inject(standin.Fault{Path: "/users", Times: 1, Status: http.StatusBadGateway, Body: "<html>bad gateway</html>"})
		if got, err := read(time.Minute); got != http.StatusBadGateway || err == nil {
			t.Errorf("status %d, error %v", got, err)
		}
		if got, err := read(time.Minute); got != http.StatusOK || err != nil {
			t.Errorf("afterwards: status %d, error %v", got, err)
		}
	})
	t.Run("a server that hangs", func(t *testing.T) {
		remove := w.Small.Inject(standin.Fault{Hang: true})
		if got, err := read(20 * time.Millisecond); err == nil {
			t.Errorf("status %d", got)
		}
		remove()
		if _, err := read(time.Minute); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	})
	t.Run("an answer that is lost", func(t *testing.T) {
		root := w.Post(w.Bot, "", "root")
		w.Small.Inject(standin.Fault{Method: http.MethodPost, Path: "/posts", Times: 1, Lose: true})
		if _, _, err := w.Bot.Client().CreatePost(context.Background(), &model.Post{ChannelId: w.ChannelID, RootId: root.Id, Message: "lost?"}); err == nil {
			t.Error("it was answered")
		}
		if got := w.Texts(w.Thread(root.Id)); !slices.Equal(got, []string{"suar: root", "suar: lost?"}) {
			t.Errorf("thread = %q", got)
		}
	})
	t.Run("before any server, by a proxy", func(t *testing.T) {
		url, faults := w.Proxy()
		bot := w.Bot
		bot.URL = url
		if _, _, err := bot.Client().GetMe(context.Background(), ""); err != nil {
			t.Fatal(err)
		}
		faults.Inject(standin.Fault{Status: http.StatusServiceUnavailable})
		if _, resp, _ := bot.Client().GetMe(context.Background(), ""); resp == nil || resp.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("answer %+v", resp)
		}
		faults.Heal()
		through := *w
		through.URL = url
		s := through.Watch(bot)
		w.Post(w.Officers[0], "", "through the proxy")
		if got := s.Post("posted").Message; got != "through the proxy" {
			t.Errorf("words %q", got)
		}
	})
}

func TestSnapshotIsWhatAClientDraws(t *testing.T) {
	w := StandIn(t)
	changes, stop := w.Small.Changes()
	defer stop()
	notices, end := w.Small.Notices(w.Officers[0].ID)
	defer end()

	e := newEndpoint(t)
	card := w.card(e, "claim")
	e.says(map[string]any{"ephemeral_text": "Only you see this."})
	w.Press(w.Officers[0], card.Id, "claim")
	w.Post(w.Officers[0], card.Id, "I take it")
	gone := w.Post(w.Officers[0], card.Id, "oops")
	w.Delete(w.Officers[0], gone.Id)
	w.React(w.Bot, card.Id, "eyes")

	<-changes
	threads := w.Small.Snapshot(w.ChannelID)
	th := threads[len(threads)-1]
	if th.Root.ID != card.Id || len(th.Root.Cards) != 1 || th.Root.Cards[0].Actions[0].ID != "claim" {
		t.Errorf("card = %+v", th.Root)
	}
	if len(th.Replies) != 2 || th.Replies[0].Text != "I take it" || !th.Replies[1].Deleted || th.Replies[1].Text != "" {
		t.Errorf("replies = %+v", th.Replies)
	}
	if r := th.Root.Reactions; len(r) != 1 || r[0].Emoji != "eyes" || !slices.Equal(r[0].By, []string{"suar"}) {
		t.Errorf("reactions = %+v", r)
	}
	if n := <-notices; n.Ephemeral != "Only you see this." || n.Root != card.Id {
		t.Errorf("notice = %+v", n)
	}
}

func TestSeatPlaysAnOfficer(t *testing.T) {
	w := StandIn(t)
	ctx := t.Context()
	siti := w.Small.Seat(w.Officers[0].Token)
	notices, end := w.Small.Notices(w.Officers[0].ID)
	defer end()

	e := newEndpoint(t)
	card := w.card(e, "close")
	if err := siti.Press(ctx, card.Id, "close"); err != nil {
		t.Fatal(err)
	}
	var press model.PostActionIntegrationRequest
	e.hit(&press)
	_, err := w.Bot.Client().OpenInteractiveDialog(ctx, model.OpenDialogRequest{
		TriggerId: press.TriggerId, URL: e.URL,
		Dialog: model.Dialog{Title: "Close?", State: "s", NotifyOnCancel: true, Elements: []model.DialogElement{{Name: "why", DisplayName: "Why", Type: "text"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	d := (<-notices).Dialog
	if d == nil || d.Title != "Close?" || len(d.Elements) != 1 {
		t.Fatalf("dialog = %+v", d)
	}
	e.says(model.SubmitDialogResponse{Error: "not yet", Errors: map[string]string{"why": "say more"}})
	wrong, err := siti.Submit(ctx, w.ChannelID, d, map[string]any{"why": "done"})
	if err != nil || wrong[""] != "not yet" || wrong["why"] != "say more" {
		t.Errorf("errors = %v, %v", wrong, err)
	}
	e.says(model.SubmitDialogResponse{})
	if err := siti.Cancel(ctx, w.ChannelID, d); err != nil {
		t.Error(err)
	}

	id, err := siti.Say(ctx, w.ChannelID, card.Id, "hello")
	if err != nil {
		t.Fatal(err)
	}
	if err := siti.Edit(ctx, id, "hello again"); err != nil {
		t.Error(err)
	}
	if got := w.Texts(w.Thread(card.Id)); !slices.Equal(got, []string{"suar: A card", "siti: hello again"}) {
		t.Errorf("thread = %q", got)
	}
	if err := siti.Delete(ctx, id); err != nil {
		t.Error(err)
	}
	w.Small.Inject(standin.Fault{Path: "/posts", Times: 1, Lose: true})
	if _, err := siti.Say(ctx, w.ChannelID, card.Id, "lost"); err == nil {
		t.Error("a lost answer is no error")
	}
	var no *standin.Refused
	if err := siti.Edit(ctx, id, "too late"); !errors.As(err, &no) || no.Status != http.StatusForbidden {
		t.Errorf("error = %v", err)
	}
}
