package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"

	"suar/internal/demo"
)

var (
	shots  = flag.String("shots", "", "write pictures of the demo's page into this `folder`")
	update = flag.Bool("update", false, "take what is printed for what should be")
)

// A browser is a real Chromium before the demo's page, with one person playing
// both sides.
type browser struct {
	t   *testing.T
	ctx context.Context

	mu     sync.Mutex
	asked  []string          // addresses that the page asked for
	faults []string          // what the console said
	heads  map[string]string // of the page itself
}

// newBrowser opens an address, or skips the test where there is no Chromium.
func newBrowser(t *testing.T, address string) *browser {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("no Chromium is installed, and with CI=true nothing is skipped: apt-get install chromium")
		}
		t.Skip("no Chromium is installed: apt-get install chromium")
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1280, 800),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-sync", true),
		chromedp.Flag("lang", "en"),
	)
	ctx, end := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(end)
	ctx, end = chromedp.NewContext(ctx)
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil && !errors.Is(err, context.Canceled) {
			t.Log("close Chromium:", err)
		}
		end()
	})
	b := &browser{t: t, ctx: ctx, heads: map[string]string{}}
	if err := chromedp.Listen(ctx, b.hear); err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	enable := chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, n := chromedp.Call(ctx, network.Enable, network.EnableParams{})
		_, r := chromedp.Call(ctx, runtime.Enable, cdp.Empty{})
		_, l := chromedp.Call(ctx, log.Enable, cdp.Empty{})
		return errors.Join(n, r, l)
	})
	if err := chromedp.Do(ctx, enable, prefers("light"), chromedp.Navigate(address)); err != nil {
		t.Fatalf("open the page: %v", err)
	}
	return b
}

// hear takes down what a page that is as it should be never does.
func (b *browser) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		b.asked = append(b.asked, e.Request.URL)
	case *network.EventResponseReceived:
		if e.Type == network.ResourceTypeDocument {
			for name, value := range e.Response.Headers {
				if s, ok := value.(string); ok {
					b.heads[strings.ToLower(name)] = s
				}
			}
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning || e.Type == runtime.ConsoleAPICalledTypeAssert {
			b.faults = append(b.faults, "console."+string(e.Type))
		}
	case *runtime.EventExceptionThrown:
		b.faults = append(b.faults, e.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			b.faults = append(b.faults, e.Entry.Text+" "+e.Entry.URL)
		}
	}
}

// do runs actions, again while the page changes under them, for a while.
func (b *browser) do(what string, actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	late := time.Now().Add(30 * time.Second)
	for {
		ctx, end := context.WithTimeout(b.ctx, 10*time.Second)
		err := chromedp.Do(ctx, actions...)
		end()
		if err == nil {
			return
		}
		if time.Now().After(late) {
			b.shot("failed")
			b.t.Fatalf("%s: %v", what, err)
		}
	}
}

// click clicks a button by its label within a part of the page.
func (b *browser) click(within, label string) {
	b.t.Helper()
	b.do("click "+label, chromedp.Click(`//*[@id="`+within+`"]//button[normalize-space()="`+label+`"]`))
}

// sees waits for an element.
func (b *browser) sees(path string) {
	b.t.Helper()
	b.do("see "+path, chromedp.WaitVisible(path))
}

// seesText waits for text within a part of the page.
func (b *browser) seesText(within, text string) {
	b.t.Helper()
	b.sees(`//*[@id="` + within + `"]//*[not(@hidden)][text()[contains(., "` + text + `")]]`)
}

// types types into a field and sends it with Enter.
func (b *browser) types(selector, text string) {
	b.t.Helper()
	b.do("type "+text, chromedp.SendKeys(chromedp.CSS(selector), text+"\r"))
}

// shot writes a picture, if pictures are asked for.
func (b *browser) shot(name string) {
	b.t.Helper()
	if *shots == "" {
		return
	}
	png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Log("no picture:", err)
		return
	}
	if err := os.WriteFile(filepath.Join(*shots, name+".png"), png, 0o600); err != nil {
		b.t.Error(err)
	}
}

// prefers sets the colours, and that nothing moves by itself: a click goes to
// where a button was when it was looked for.
func prefers(scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{
				{Name: "prefers-color-scheme", Value: scheme},
				{Name: "prefers-reduced-motion", Value: "reduce"},
			},
		})
		return err
	})
}

// look sets the colours and the width.
func (b *browser) look(scheme string, width, height int64) {
	b.t.Helper()
	b.do("look "+scheme, prefers(scheme), chromedp.EmulateViewport(width, height))
}

// startDemo starts the demo with its page, until the test ends.
func startDemo(t *testing.T) *demo.Page {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	h, err := demo.Start(ctx, demoCommands(), "en")
	if err != nil {
		t.Fatal(err)
	}
	page, err := demo.NewPage(ctx, h, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- page.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-ended, h.Close()); err != nil {
			t.Error(err)
		}
	})
	return page
}

// TestDemoInTheBrowser is a newcomer's first minute, from the first tap to a
// case that was closed and opened with the officer's key.
func TestDemoInTheBrowser(t *testing.T) {
	page := startDemo(t)
	b := newBrowser(t, page.URL())
	b.sees(`//*[@id="start"]//button`)
	b.shot("01-begin")
	b.click("start", "Start")
	b.click("chat", "English")
	b.click("chat", "Contact the embassy")
	b.shot("02-language")
	b.click("chat", "Danger now")
	b.sees(`//*[@id="threads"]//button[normalize-space()="Claim"]`)
	b.seesText("chat", "A person has been alerted.")
	b.shot("03-alerted")
	b.click("chat", "Being moved or sold")
	b.click("chat", "Bokeo / Golden Triangle")
	b.types("#words", "They move us tonight, please hurry")
	b.seesText("threads", "They move us tonight, please hurry")
	b.shot("04-written")

	b.click("threads", "Claim")
	b.types("#threads .reply textarea", "I am Siti of the embassy. Are you safe to write?")
	b.seesText("chat", "There is news.")
	b.click("chat", "Open")
	b.seesText("chat", "I am Siti of the embassy.")
	b.seesText("threads", "it is on the person’s phone")
	b.seesText("chat", "An officer has read your message.")
	b.types("#threads .reply textarea", "// call the police of Bokeo once she agrees")
	b.seesText("threads", "it stays among the officers")
	b.types("#words", "Yes, for a moment")
	b.seesText("threads", "Yes, for a moment")
	b.do("edit it, with the keyboard alone",
		chromedp.Focus(`(//*[@id="chat"]//li[@class="mine"])[last()]//button[1]`), chromedp.KeyEvent("\r"))
	b.types("#words", ", not longer")
	b.seesText("threads", "Corrected by the person:")
	b.seesText("threads", "Yes, for a moment, not longer")
	b.do("attach a photo", chromedp.Click(chromedp.ID("photo")))
	b.seesText("chat", "We did not take what you sent")
	b.seesText("threads", "It was refused and not fetched")
	b.shot("05-talk")

	b.click("threads", "Close")
	b.sees(`//dialog[@open]//button[@id="dialog-yes"]`)
	b.shot("06-dialog")
	b.click("dialog", "Close")
	b.seesText("chat", "The officer has closed this conversation.")
	b.shot("07-closed")

	b.types("#word", "tonight")
	b.seesText("found", "0 hits")
	b.shot("08-found")
	b.click("open", "Open")
	b.seesText("opened", "Opened and verified")
	b.seesText("opened", "They move us tonight, please hurry")
	b.seesText("opened", "fits: up to there nothing was cut off or replaced")
	b.shot("09-opened")
	if *shots != "" {
		b.album()
	}
	b.do("speak Indonesian", chromedp.Click(chromedp.CSS(`[data-language="id"]`)))
	b.sees(`//h2[@id="phone-title"][.="Telegram: HP seseorang"]`)
	b.click("chat", "Delete & leave")
	b.sees(`//*[@id="start"]//button`)
	b.verdict(page.URL())
}

// TestDemoScript plays the whole case in the terminal and compares all that is
// printed but for what is random or the time.
func TestDemoScript(t *testing.T) {
	var out bytes.Buffer
	if err := demo.Script(t.Context(), demoCommands(), &out); err != nil {
		t.Fatalf("%v\nafter:\n%s", err, out.String())
	}
	got := out.Bytes()
	for _, r := range [][2]string{
		{`[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}`, "XXXX-XXXX"},
		{`(#\d+·)[0-9a-f]{16}`, "${1}xxxxxxxxxxxxxxxx"},
		{`[0-9a-f]{64}`, "x…"},
		{`\d{4}-\d\d-\d\d( \d\d(:\d\d|h))?`, "DATE"},
	} {
		got = regexp.MustCompile(r[0]).ReplaceAll(got, []byte(r[1]))
	}
	golden := filepath.Join("testdata", "demo.golden")
	if *update {
		if err := os.WriteFile(golden, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("what the demo prints is another (-want +got; -update takes it):\n%s", diff)
	}
}

// A hotline that is not as it should be makes the script fail, and says what
// was expected.
func TestDemoScriptNotices(t *testing.T) {
	whole := demoCommands()
	for _, c := range []struct {
		name, want string
		broken     demo.Commands
	}{
		{"the hotline does not start", "no such thing", demo.Commands{Run: whole.Run, Serve: func(context.Context, string, io.Writer) error {
			return errors.New("no such thing")
		}}},
		{"the transcript does not open", "expected exit code 0", demo.Commands{Serve: whole.Serve, Run: func(ctx context.Context, args []string, out, faults io.Writer) int {
			if args[0] == "open" {
				return exitRefused
			}
			return whole.Run(ctx, args, out, faults)
		}}},
		{"the log holds what was said", "expected that no file of the server holds tonight", demo.Commands{Run: whole.Run, Serve: func(ctx context.Context, config string, log io.Writer) error {
			fmt.Fprintln(log, "they move us Tonight")
			return whole.Serve(ctx, config, log)
		}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := demo.Script(t.Context(), c.broken, io.Discard)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

// album writes pictures of both colour schemes, wide and narrow.
func (b *browser) album() {
	for _, scheme := range []string{"light", "dark"} {
		b.look(scheme, 1280, 800)
		b.do("to the top", chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
			_, err := chromedp.Run(ctx, chromedp.Evaluate[any]("scrollTo({top: 0, behavior: 'instant'})", chromedp.EvalIgnoreExceptions))
			return err
		}))
		b.shot("10-wide-" + scheme)
		b.do("to what is kept", chromedp.ScrollIntoView(chromedp.ID("opened")))
		b.shot("10-kept-" + scheme)
		b.look(scheme, 1280, 1700)
		b.shot("11-tall-" + scheme)
		b.look(scheme, 390, 2600)
		b.shot("12-narrow-" + scheme)
	}
	b.look("light", 1280, 800)
}

// verdict fails the test if the page did what it must never do.
func (b *browser) verdict(address string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, asked := range b.asked {
		if !strings.HasPrefix(asked, address) {
			u, err := url.Parse(asked)
			b.t.Errorf("the page asks %s for %s (%v)", u.Host, u.Path, err)
		}
	}
	if len(b.asked) < 5 {
		b.t.Errorf("%d requests were seen: the listener does not hear", len(b.asked))
	}
	for _, fault := range b.faults {
		b.t.Errorf("in the console: %s", fault)
	}
	if policy := b.heads["content-security-policy"]; !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
		b.t.Errorf("content security policy %q", policy)
	}
}
