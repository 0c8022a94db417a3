// Command bare is the least that a durable bot can do, to compare with: it
// receives updates by long polling, appends them to a journal with one fsync
// for all that came together, and answers each with as many calls as Suar makes,
// as JSON over one tuned client. It keeps no state, asks nothing and seals
// nothing: what it answers is the next of the views that Suar once showed.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

func main() {
	api := flag.String("api", "", "the Bot API's `address` with /bot and the token")
	journal := flag.String("journal", "", "the `file` that every update is appended to")
	script := flag.String("script", "", "the `file` with the views, as JSON")
	acks := flag.Float64("acks", 1, "how many of the presses are acknowledged, 0 to 1")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *api, *journal, *script, *acks); err != nil {
		fmt.Fprintln(os.Stderr, "bare:", err)
		os.Exit(1)
	}
}

type update struct {
	ID      int64 `json:"update_id"`
	Message *struct {
		ID   int64 `json:"message_id"`
		Chat chat  `json:"chat"`
	} `json:"message"`
	Query *struct {
		ID      string `json:"id"`
		Data    string `json:"data"`
		Message struct {
			ID   int64 `json:"message_id"`
			Chat chat  `json:"chat"`
		} `json:"message"`
	} `json:"callback_query"`
}

type chat struct {
	ID int64 `json:"id"`
}

type keyboard struct {
	Rows [][]button `json:"inline_keyboard"`
}

type button struct {
	Text  string `json:"text"`
	Data  string `json:"callback_data"`
	Style string `json:"style,omitempty"`
}

// A view is an answer.
type view struct {
	Text     string   `json:"text"`
	Keyboard keyboard `json:"keyboard"`
}

type preview struct {
	Disabled bool `json:"is_disabled"`
}

type sendMessage struct {
	Chat     int64    `json:"chat_id"`
	Text     string   `json:"text"`
	Preview  preview  `json:"link_preview_options"`
	Silent   bool     `json:"disable_notification"`
	Keyboard keyboard `json:"reply_markup"`
}

type editMessageText struct {
	Chat     int64    `json:"chat_id"`
	Message  int64    `json:"message_id"`
	Text     string   `json:"text"`
	Preview  preview  `json:"link_preview_options"`
	Keyboard keyboard `json:"reply_markup"`
}

type deleteMessages struct {
	Chat     int64   `json:"chat_id"`
	Messages []int64 `json:"message_ids"`
}

type answerCallbackQuery struct {
	ID string `json:"callback_query_id"`
}

const (
	// workers is how many updates are answered at once.
	workers = 64
	// pollSize is how many updates come at once: Telegram's maximum.
	pollSize = 100
)

// A loop is the program.
type loop struct {
	api    string
	client *http.Client
	views  []view
	acks   float64
	owed   atomic.Int64 // thousandths of an acknowledgement
	work   chan update
	failed chan error
}

func run(ctx context.Context, api, journal, script string, acks float64) error {
	raw, err := os.ReadFile(script)
	if err != nil {
		return err
	}
	l := &loop{api: api, acks: acks, work: make(chan update, pollSize), failed: make(chan error, 1)}
	if err := json.Unmarshal(raw, &l.views); err != nil {
		return err
	}
	for i := range l.views {
		l.views[i].number(i)
	}
	transport := &http.Transport{
		MaxIdleConns: 2 * workers, MaxIdleConnsPerHost: 2 * workers, DisableCompression: true,
	}
	l.client = &http.Client{Transport: transport, Timeout: time.Minute}
	file, err := os.OpenFile(journal, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	for range workers {
		go func() {
			for u := range l.work {
				if err := l.answer(ctx, u); err != nil && ctx.Err() == nil {
					select {
					case l.failed <- err:
					default:
					}
				}
			}
		}()
	}
	return l.receive(ctx, file)
}

// number gives each button data as long as it was, that says which view it is
// of.
func (v *view) number(n int) {
	for _, row := range v.Keyboard.Rows {
		for i := range row {
			data := strconv.Itoa(n) + "."
			row[i].Data = data + strings.Repeat("0", max(0, len(row[i].Data)-len(data)))
		}
	}
}

// receive takes updates, writes them down and passes them on.
func (l *loop) receive(ctx context.Context, journal *os.File) error {
	var offset int64
	for {
		select {
		case err := <-l.failed:
			return err
		default:
		}
		var got struct {
			OK     bool              `json:"ok"`
			Result []json.RawMessage `json:"result"`
		}
		err := l.call(ctx, "getUpdates", map[string]int64{"offset": offset, "limit": pollSize, "timeout": 50}, &got)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // It was told to end.
		}
		if err != nil {
			return err
		}
		if len(got.Result) == 0 {
			continue
		}
		batch := make([]update, len(got.Result))
		var lines bytes.Buffer
		for i, raw := range got.Result {
			if err := json.Unmarshal(raw, &batch[i]); err != nil {
				return err
			}
			lines.Write(raw)
			lines.WriteByte('\n')
		}
		if _, err := journal.Write(lines.Bytes()); err != nil {
			return err
		}
		if err := journal.Sync(); err != nil {
			return err
		}
		offset = batch[len(batch)-1].ID + 1
		for _, u := range batch {
			l.work <- u
		}
	}
}

// answer makes the calls that an update asks for.
func (l *loop) answer(ctx context.Context, u update) error {
	if m := u.Message; m != nil {
		v := l.views[0]
		if err := l.call(ctx, "sendMessage", sendMessage{Chat: m.Chat.ID, Text: v.Text, Preview: preview{true}, Silent: true, Keyboard: v.Keyboard}, nil); err != nil {
			return err
		}
		return l.call(ctx, "deleteMessages", deleteMessages{m.Chat.ID, []int64{m.ID}}, nil)
	}
	q := u.Query
	if q == nil {
		return errors.New("an update of an unknown kind")
	}
	text, _, _ := strings.Cut(q.Data, ".")
	n, err := strconv.Atoi(text)
	if err != nil {
		return err
	}
	// Some are left out if Suar leaves them out.
	if total := l.owed.Add(int64(l.acks * 1000)); total/1000 != (total-int64(l.acks*1000))/1000 {
		if err := l.call(ctx, "answerCallbackQuery", answerCallbackQuery{q.ID}, nil); err != nil {
			return err
		}
	}
	if n+1 == len(l.views) {
		return l.call(ctx, "deleteMessages", deleteMessages{q.Message.Chat.ID, []int64{q.Message.ID}}, nil)
	}
	v := l.views[n+1]
	return l.call(ctx, "editMessageText", editMessageText{
		Chat: q.Message.Chat.ID, Message: q.Message.ID, Text: v.Text, Preview: preview{true}, Keyboard: v.Keyboard,
	}, nil)
}

// call performs a method. What it returns is read into dest, or only looked at.
func (l *loop) call(ctx context.Context, method string, params, dest any) error {
	body, err := json.Marshal(params)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, l.api+"/"+method, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := l.client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK || !bytes.HasPrefix(raw, []byte(`{"ok":true`)) {
		return fmt.Errorf("%s: status %d", method, resp.StatusCode)
	}
	if dest != nil {
		return json.Unmarshal(raw, dest)
	}
	return nil
}
