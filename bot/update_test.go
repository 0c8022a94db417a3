package bot

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-telegram/bot/models"

	"suar/flows"
	"suar/internal/engine"
)

// person is the sender and the chat of most updates, with a profile that must
// not get through.
const person = `"date":1,"chat":{"id":77,"type":"private","first_name":"RAHASIA","username":"rahasia"},"from":{"id":77,"is_bot":false,"first_name":"RAHASIA","username":"rahasia","language_code":"rahasia"}`

func TestEvent(t *testing.T) {
	forward := `"forward_origin":{"type":"user","date":1,"sender_user":{"id":5,"is_bot":false,"first_name":"RAHASIA"}}`
	file := `{"file_id":"FILE-7","file_unique_id":"RAHASIA","file_name":"rahasia.apk","width":1,"height":1,"length":1,"duration":1,"type":"regular"}`
	message := func(content string) string {
		return `"message":{"message_id":5,` + person + `,` + content + `}`
	}
	said := func(text string) flows.Event { return flows.Said{Message: "5", Text: text} }
	attached := func(m flows.Media, caption string) flows.Event {
		return flows.Attached{Message: "5", Media: m, Caption: caption}
	}
	file7 := func(m flows.Media, caption string, size int) flows.Event {
		return flows.Attached{Message: "5", Media: m, Caption: caption, File: "FILE-7", Size: size}
	}
	sized := func(id string, side, size int) string {
		return fmt.Sprintf(`{"file_id":%q,"file_unique_id":"RAHASIA","width":%d,"height":%d,"file_size":%d}`, id, side, side, size)
	}
	document := func(mime string, size int) string {
		return fmt.Sprintf(`"document":{"file_id":"FILE-7","file_unique_id":"RAHASIA","file_name":"rahasia.jpg","mime_type":%q,"file_size":%d}`, mime, size)
	}
	asked := func(c flows.Command) flows.Event { return flows.Asked{Message: "5", What: c} }
	for _, tt := range []struct {
		name   string
		update string
		want   flows.Event // nil for none
	}{
		{"text", message(`"text":"halo"`), said("halo")},
		{"text with marks", message(`"text":" a\u0000b\u202e*_` + "`" + `@all "`), said(" ab\u202e*_`@all ")},
		{"half a surrogate", message(`"text":"a\ud83d"`), said("a\ufffd")},
		{"NUL only", message(`"text":"\u0000\u0000"`), flows.Garbled{Message: "5"}},
		{"white space only", message(`"text":" \n "`), flows.Garbled{Message: "5"}},
		{"5,000 characters", message(`"text":"` + strings.Repeat("é", 5000) + `"`), said(strings.Repeat("é", 5000))},

		{"start", message(`"text":"/start"`), flows.Started{Message: "5"}},
		{"start from a link", message(`"text":"/start abc123"`), flows.Started{Message: "5"}},
		{"start of a bot", message(`"text":"/start@suar_bot"`), flows.Started{Message: "5"}},
		{"START", message(`"text":"/START"`), flows.Started{Message: "5"}},
		{"delete", message(`"text":"/delete"`), asked(flows.AskDelete)},
		{"delete of a bot", message(`"text":"/delete@suar_bot now"`), asked(flows.AskDelete)},
		{"hapus", message(`"text":"/hapus"`), asked(flows.AskDelete)},
		{"the word hapus", message(`"text":" HaPus\n"`), asked(flows.AskDelete)},
		{"hapus with a full stop", message(`"text":"hapus ."`), asked(flows.AskDelete)},
		{"HAPUS!", message(`"text":"HAPUS!"`), asked(flows.AskDelete)},
		{"/hapus with a full stop", message(`"text":"/Hapus."`), asked(flows.AskDelete)},
		{"privasi", message(`"text":"/privasi"`), asked(flows.AskPrivacy)},
		{"hapus in a sentence", message(`"text":"jangan hapus"`), said("jangan hapus")},
		{"the word delete", message(`"text":"delete"`), said("delete")},
		{"privacy", message(`"text":"/privacy"`), asked(flows.AskPrivacy)},
		{"bahasa", message(`"text":"/bahasa"`), asked(flows.AskLanguage)},
		{"language", message(`"text":"/language"`), asked(flows.AskLanguage)},
		{"another command", message(`"text":"/help me"`), said("/help me")},
		{"a longer word", message(`"text":"/deleted"`), said("/deleted")},
		{"a slash", message(`"text":"/"`), said("/")},
		{"a command later", message(`"text":"a /delete"`), said("a /delete")},
		{"a forwarded command", message(`"text":"/delete",` + forward), said("/delete")},
		{"a forwarded text", message(`"text":"bukti",` + forward), said("bukti")},
		{"a quote", message(`"text":"ya","quote":{"text":"RAHASIA","position":0}`), said("ya")},
		{"by an inline bot", message(`"text":"ya","via_bot":{"id":9,"is_bot":true,"first_name":"RAHASIA"}`), said("ya")},
		{"an entity out of bounds", message(`"text":"/start","entities":[{"type":"bot_command","offset":0,"length":99}]`), flows.Started{Message: "5"}},

		{"photo", message(`"photo":[` + file + `],"caption":"lihat\u0000"`), file7(flows.MediaPhoto, "lihat", 0)},
		{"photo in sizes", message(`"photo":[` + sized("SMALL", 90, 900) + `,` + sized("FILE-7", 1280, 300_000) + `,` + sized("MIDDLE", 320, 9_000) + `]`), file7(flows.MediaPhoto, "", 300_000)},
		{"photo of which one size is too large", message(`"photo":[` + sized("LARGE", 9000, 9_000_000) + `,` + sized("FILE-7", 1280, 300_000) + `]`), file7(flows.MediaPhoto, "", 300_000)},
		{"photo that is too large", message(`"photo":[` + sized("FILE-7", 9000, 9_000_000) + `]`), file7(flows.MediaPhoto, "", 9_000_000)},
		{"photo without sizes", message(`"photo":[]`), attached(flows.MediaPhoto, "")},
		{"photo with a number that is none", message(`"photo":[` + sized(strings.Repeat("R", 300), 90, 900) + `]`), flows.Attached{Message: "5", Media: flows.MediaPhoto, Size: 900}},
		{"photo as a file", message(document("image/jpeg", 5)), file7(flows.MediaFile, "", 5)},
		{"photo as a file of 2^40 bytes", message(document("image/png", 1<<40)), file7(flows.MediaFile, "", 1<<31-1)},
		{"PDF", message(document("application/pdf", 5)), attached(flows.MediaFile, "")},
		{"SVG", message(document("image/svg+xml", 5)), attached(flows.MediaFile, "")},
		{"video", message(`"video":` + file), attached(flows.MediaVideo, "")},
		{"video note", message(`"video_note":` + file), attached(flows.MediaVideo, "")},
		{"animation", message(`"animation":` + file + `,"document":` + file), attached(flows.MediaVideo, "")},
		{"voice", message(`"voice":` + file), file7(flows.MediaVoice, "", 0)},
		{"audio", message(`"audio":` + file), attached(flows.MediaVoice, "")},
		{"sticker", message(`"sticker":` + file), attached(flows.MediaSticker, "")},
		{"file", message(`"document":` + file + `,"caption":"/delete"`), attached(flows.MediaFile, "/delete")},
		{"contact", message(`"contact":{"phone_number":"RAHASIA","first_name":"RAHASIA"}`), attached(flows.MediaContact, "")},
		{"location", message(`"location":{"latitude":1,"longitude":2}`), attached(flows.MediaLocation, "")},
		{"venue", message(`"venue":{"location":{"latitude":1,"longitude":2},"title":"RAHASIA","address":"RAHASIA"}`), attached(flows.MediaLocation, "")},
		{"poll", message(`"poll":{"id":"1","question":"RAHASIA","options":[]}`), attached(flows.MediaOther, "")},
		{"dice", message(`"dice":{"emoji":"x","value":1}`), attached(flows.MediaOther, "")},
		{"invoice", message(`"invoice":{"title":"RAHASIA"}`), attached(flows.MediaOther, "")},
		{"payment", message(`"successful_payment":{"currency":"X"}`), nil},
		{"timer", message(`"message_auto_delete_timer_changed":{"message_auto_delete_time":5}`), nil},
		{"nothing that we know", message(`"smell":"RAHASIA"`), flows.Garbled{Message: "5"}},

		{"edit", `"edited_message":{"message_id":5,` + person + `,"text":"lain"}`, flows.Edited{Message: "5", Text: "lain"}},
		{"edit to a command", `"edited_message":{"message_id":5,` + person + `,"text":"/delete"}`, flows.Edited{Message: "5", Text: "/delete"}},
		{"edited caption", `"edited_message":{"message_id":5,` + person + `,"photo":[],"caption":"lain"}`, flows.Edited{Message: "5", Text: "lain"}},
		{"a place that moves", `"edited_message":{"message_id":5,` + person + `,"location":{"latitude":1,"longitude":2}}`, nil},

		{"press", `"callback_query":{"id":"1","from":{"id":77,"first_name":"RAHASIA"},"chat_instance":"1","data":"a","message":{"message_id":6,` + person + `}}`, flows.Chose{Message: "6", Data: "a"}},
		{"press on what is inaccessible", `"callback_query":{"id":"1","from":{"id":77},"chat_instance":"1","data":"a","message":{"message_id":6,"date":0,"chat":{"id":77,"type":"private"}}}`, flows.Chose{Message: "6", Data: "a"}},
		{"press of 64 bytes", `"callback_query":{"id":"1","from":{"id":77},"chat_instance":"1","data":"` + strings.Repeat("d", 64) + `","message":{"message_id":6,` + person + `}}`, flows.Chose{Message: "6", Data: strings.Repeat("d", 64)}},
		{"press in another's chat", `"callback_query":{"id":"1","from":{"id":78},"chat_instance":"1","data":"a","message":{"message_id":6,` + person + `}}`, nil},
		{"press in a group", `"callback_query":{"id":"1","from":{"id":77},"chat_instance":"1","data":"a","message":{"message_id":6,"date":1,"chat":{"id":-5,"type":"group"}}}`, nil},
		{"press under an inline message", `"callback_query":{"id":"1","from":{"id":77},"chat_instance":"1","data":"a","inline_message_id":"x"}`, nil},
		{"a game", `"callback_query":{"id":"1","from":{"id":77},"chat_instance":"1","game_short_name":"x","message":{"message_id":6,` + person + `}}`, flows.Chose{Message: "6"}},

		{"blocked", `"my_chat_member":{"date":1,"chat":{"id":77,"type":"private"},"from":{"id":77},"old_chat_member":{"status":"member"},"new_chat_member":{"status":"kicked"}}`, flows.Blocked{}},
		{"unblocked", `"my_chat_member":{"date":1,"chat":{"id":77,"type":"private"},"from":{"id":77},"old_chat_member":{"status":"kicked"},"new_chat_member":{"status":"member"}}`, nil},
		{"thrown out of a group", `"my_chat_member":{"date":1,"chat":{"id":-77,"type":"group"},"from":{"id":77},"old_chat_member":{"status":"member"},"new_chat_member":{"status":"kicked"}}`, nil},

		{"group", `"message":{"message_id":5,"date":1,"chat":{"id":-77,"type":"supergroup"},"from":{"id":77},"text":"halo"}`, nil},
		{"channel", `"channel_post":{"message_id":5,"date":1,"chat":{"id":-77,"type":"channel"},"text":"halo"}`, nil},
		{"anonymous administrator", `"message":{"message_id":5,"date":1,"chat":{"id":-77,"type":"supergroup"},"sender_chat":{"id":-77,"type":"supergroup"},"from":{"id":1087968824,"is_bot":true},"text":"halo"}`, nil},
		{"a bot", `"message":{"message_id":5,"date":1,"chat":{"id":77,"type":"private"},"from":{"id":77,"is_bot":true},"text":"halo"}`, nil},
		{"another sender", `"message":{"message_id":5,"date":1,"chat":{"id":77,"type":"private"},"from":{"id":78},"text":"halo"}`, nil},
		{"no sender", `"message":{"message_id":5,"date":1,"chat":{"id":77,"type":"private"},"text":"halo"}`, nil},
		{"business", `"business_message":{"message_id":5,` + person + `,"text":"halo"}`, nil},
		{"inline query", `"inline_query":{"id":"1","from":{"id":77},"query":"RAHASIA","offset":""}`, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := read(json.RawMessage(`{"update_id":9,` + tt.update + `}`))
			if r.broken || r.id != 9 {
				t.Fatalf("unreadable: %+v", r)
			}
			if tt.want == nil {
				if !r.mute {
					t.Errorf("got %+v, want none", r.in)
				}
				return
			}
			want := engine.Inbound{Name: "tg:77", ID: "tg:9", Caller: "77", Event: tt.want}
			if diff := cmp.Diff(want, r.in); diff != "" {
				t.Error(diff)
			}
			if text := fmt.Sprintf("%+v", r.in); strings.Contains(strings.ToUpper(text), "RAHASIA") {
				t.Errorf("of the profile or the attachment: %s", text)
			}
		})
	}
}

// FuzzRead holds the reader that is tolerant against the one that is strict: on
// what encoding/json takes for an update, they agree on its number. Of a press
// not all is looked at.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"update_id":9,"message":{"message_id":5,` + person + `,"text":"halo"}}`))
	f.Add([]byte(`{"message":{"chat":{"id":7,"type":"private"},"text":"\"]}"},"update_id":9}`))
	f.Add([]byte(`{"update_id":`))
	f.Add([]byte(` { "update_id" : 12 , "x":[{"y":"\\"}] } `))
	f.Fuzz(func(t *testing.T, raw []byte) {
		r := read(raw)
		var u struct {
			ID int64 `json:"update_id"`
		}
		err := json.Unmarshal(raw, &u)
		if !r.broken && (err != nil && r.kind != "callback_query" || err == nil && u.ID != r.id) {
			t.Errorf("id %d, want %d", r.id, u.ID)
		}
		if !r.mute && (r.in.ID != fmt.Sprint("tg:", r.id) || r.in.Caller == "" || r.in.Event == nil) {
			t.Errorf("%+v", r.in)
		}
	})
}

// FuzzPress holds the short way of decoding a press against the library's: where
// both can, they see the same.
func FuzzPress(f *testing.F) {
	press := `{"update_id":9,"callback_query":{"id":"5","from":{"id":7,"is_bot":false,"first_name":"x"},"message":{"message_id":6,"date":1,"chat":{"id":7,"type":"private"},"text":"a"},"chat_instance":"1","data":"t.o1"}}`
	f.Add([]byte(press))
	f.Add([]byte(strings.Replace(press, `"date":1`, `"date":0`, 1)))
	f.Add([]byte(strings.Replace(press, `"is_bot":false`, `"is_bot":true`, 1)))
	f.Add([]byte(strings.Replace(press, `"message":{`, `"MESSAGE":{`, 1)))
	f.Add([]byte(strings.Replace(press, `"data":`, `"dat\u0061":"a","data":`, 1)))
	f.Add([]byte(strings.Replace(press, `"data":`, `"Data":"a","data":`, 1)))
	f.Add([]byte(strings.Replace(press, `"data":`, `"data":"a","data":`, 1)))
	f.Add([]byte(strings.Replace(press, `t.o1`, `t.\u00e9\"o`, 1)))
	f.Add([]byte(strings.Replace(press, `"private"`, `"group"`, 1)))
	f.Add([]byte(strings.Replace(press, `,"callback`, `,"message":{"message_id":1,"chat":{"id":7,"type":"private"},"from":{"id":7},"text":"b"},"callback`, 1)))
	f.Add([]byte(strings.Replace(press, `"message":{"message_id":6,"date":1,"chat":{"id":7,"type":"private"},"text":"a"}`, `"inline_message_id":"3"`, 1)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, want := decodePress(raw), new(models.Update)
		if got == nil || json.Unmarshal(raw, want) != nil {
			return
		}
		in, ok := Event(got)
		wantIn, wantOK := Event(want)
		if ok != wantOK || in != wantIn || got.ID != want.ID || got.CallbackQuery.ID != want.CallbackQuery.ID {
			t.Errorf("%+v %v, want %+v %v", in, ok, wantIn, wantOK)
		}
	})
}

// FuzzElements: an array that encoding/json takes is cut into the elements that
// encoding/json finds.
func FuzzElements(f *testing.F) {
	f.Add([]byte(`[{"a":[1,2]},"]",3 , null,[]]`))
	f.Add([]byte(`[`))
	f.Add([]byte(` [ ] `))
	f.Add([]byte(`[1 2]`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, rest := elements(raw)
		var want []json.RawMessage
		if json.Unmarshal(raw, &want) != nil || want == nil {
			return
		}
		if rest != nil || len(got) != len(want) {
			t.Fatalf("%q and %q, want %q", got, rest, want)
		}
		for i := range got {
			if string(got[i]) != string(want[i]) {
				t.Errorf("element %d is %q, want %q", i, got[i], want[i])
			}
		}
	})
}

func TestMember(t *testing.T) {
	for _, tt := range []struct{ object, name, want string }{
		{`{"a":1,"b":{"a":2}}`, "b", `{"a":2}`},
		{`{"x":{"a":2},"a":1}`, "a", `1`},
		{`{"x":"\"a\":3","a":1}`, "a", `1`},
		{`{"a":{"b":[1,`, "a", `{"b":[1,`},
		{`{"b":1}`, "a", ``},
		{`[1]`, "a", ``},
		{``, "a", ``},
		{`{"a"`, "a", ``},
		{`{"a" : "x" }`, "a", `"x"`},
	} {
		if got := string(member([]byte(tt.object), tt.name)); got != tt.want {
			t.Errorf("%s of %s is %q, want %q", tt.name, tt.object, got, tt.want)
		}
		if got := string(memberOn([]byte(tt.object), tt.name)); !strings.HasPrefix(got, tt.want) || !strings.HasSuffix(tt.object, got) || (got == "") != (tt.want == "") {
			t.Errorf("%s of %s begins with %q, want %q", tt.name, tt.object, got, tt.want)
		}
	}
}
