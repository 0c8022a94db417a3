package main

import (
	"net"
	"net/url"
	"slices"
	"strings"
)

func (c config) check(fault func(string, ...any)) {
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		fault("listen: %q is no address; write host:port", c.Listen)
	}
	web := func(what, address string, must bool) {
		if address == "" && !must {
			return
		}
		if u, err := url.Parse(address); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			fault("%s: %q is no address; write it like https://chat.example.org", what, address)
		}
	}
	web("mattermost.url", c.Mattermost.URL, true)
	web("mattermost.callback", c.Mattermost.Callback, true)
	web("telegram.server", c.Telegram.Server, false)
	web("telegram.webhook_url", c.Telegram.WebhookURL, false)
	switch channel := c.Mattermost.Channel; {
	case channel == "":
		fault("mattermost.channel is missing: the officers' private channel, as team/channel")
	case !isChannel(channel):
		fault("mattermost.channel: %q is neither team/channel nor an id; write it like embassy/hotline", channel)
	}
	for i, name := range c.Mattermost.OnCall {
		if name == "" || strings.Trim(name, lowerCase+"0123456789.-_") != "" {
			fault("mattermost.on_call: number %d is no user name; write it in lower case and without @, like siti", i+1)
		}
	}
	switch {
	case len(c.Mattermost.OnCall) == 0 && c.Mattermost.Roster == "":
		fault("mattermost.on_call is empty: name at least one officer or a roster, or nobody is called when a case comes")
	case len(c.Mattermost.OnCall) > 0 && c.Mattermost.Roster != "":
		fault("mattermost.on_call and mattermost.roster: take out on_call, the roster says who is called")
	}
	if c.Deliveries.Callers < 0 || c.Deliveries.Officers < 0 {
		fault("deliveries: want how many run at once to people (callers) and to Mattermost (officers); 0 or no line is the program's own number")
	}
	if !slices.Contains([]string{"", "text", "json"}, c.Log.Format) {
		fault("log.format: %q is neither text nor json", c.Log.Format)
	}
	if !slices.Contains([]string{"", "debug", "info", "warn", "error"}, c.Log.Level) {
		fault("log.level: %q is none of debug, info, warn, error", c.Log.Level)
	}
}

const lowerCase = "abcdefghijklmnopqrstuvwxyz"

// isChannel reports whether a text has the form of team/channel or of a
// Mattermost id, 26 letters and digits.
func isChannel(text string) bool {
	team, channel, ok := strings.Cut(text, "/")
	if !ok {
		return len(text) == 26 && strings.Trim(text, lowerCase+"0123456789") == ""
	}
	return team != "" && channel != "" && strings.Trim(team+channel, lowerCase+"0123456789.-_") == ""
}
