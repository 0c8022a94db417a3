package main

import (
	"context"
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
)

// run evaluates a script on the page; one that throws is tried again for a while.
func (b *browser) run(what, script string) {
	b.t.Helper()
	b.do(what, chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Run(ctx, chromedp.Evaluate[any](script+"; 1"))
		return err
	}))
}

// chooses chooses an entry of the newest card's menu by the beginning of its value.
func (b *browser) chooses(entry string) {
	b.t.Helper()
	b.run("choose "+entry, fmt.Sprintf(`(() => {
		const menu = [...document.querySelectorAll("#threads select")].at(-1);
		const option = [...menu.options].find((o) => o.value.startsWith(%q));
		if (!option) throw new Error([...menu.options].map((o) => o.value).join("; "));
		menu.value = option.value;
		menu.dispatchEvent(new Event("change", { bubbles: true }));
	})()`, entry))
}

// picks chooses the option of a field of the dialog.
func (b *browser) picks(field, value string) {
	b.t.Helper()
	b.run("fill in "+field, fmt.Sprintf(`(() => {
		const field = document.getElementById("field-" + %q);
		field.value = %q;
		if (field.value !== %q) throw new Error([...field.options].map((o) => o.value).join("; "));
	})()`, field, value, value))
}

// TestFormsInTheBrowser plays what officers fill in on the demo's page: a sheet of the
// casework with a fault and without, and a prepared reply with its preview.
func TestFormsInTheBrowser(t *testing.T) {
	page := startDemo(t)
	b := newBrowser(t, page.URL())
	b.click("start", "Start")
	b.click("chat", "English")
	b.click("chat", "Contact the embassy")
	b.click("chat", "Danger now")
	b.click("threads", "Claim")
	b.seesText("chat", "An officer has opened")

	b.run("look at the board", `document.getElementById("threads").scrollTop = 0`)
	b.shot("19-board")
	b.chooses("work:flag")
	b.sees(`//dialog[@open]//select[@id="field-kind"]`)
	b.do("a day that is none", chromedp.SendKeys(chromedp.CSS("#field-day"), "tomorrow"))
	b.shot("20-flag")
	b.do("send", chromedp.Click(chromedp.ID("dialog-yes")))
	b.sees(`//dialog[@open]//*[@aria-invalid="true"]`)
	b.shot("21-faults")
	b.do("cancel", chromedp.Click(chromedp.ID("dialog-no")))

	b.chooses("work:screening")
	b.sees(`//dialog[@open]//select[@id="field-deception"]`)
	b.picks("deception", "present")
	b.shot("22-screening")
	b.look("dark", 390, 844)
	b.shot("23-screening-phone")
	b.look("light", 1280, 860)
	b.do("send", chromedp.Click(chromedp.ID("dialog-yes")))
	b.seesText("threads", "Screening: present")
	b.sees(`//body[not(.//dialog[@open])]`)
	b.shot("24-screened")

	b.chooses("canned")
	b.sees(`//dialog[@open]//select`)
	b.run("choose a reply", `(() => { const f = document.querySelector("#dialog-fields select"); f.selectedIndex = 1; })()`)
	b.do("preview", chromedp.Click(chromedp.ID("dialog-yes")))
	b.seesText("dialog", "This goes to the person")
	b.shot("25-preview")
	b.do("send", chromedp.Click(chromedp.ID("dialog-yes")))
	b.seesText("threads", "(prepared reply)")
	b.seesText("chat", "There is news.")
	b.shot("26-sent")
	if faults := b.faults; len(faults) > 0 {
		t.Errorf("the console says %q", faults)
	}
}
