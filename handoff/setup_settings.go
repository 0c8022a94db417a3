package handoff

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/mattermost/mattermost/server/public/model"
)

// A serverSetting is a setting of the server that the hotline needs.
type serverSetting struct {
	name string
	want string
	get  func(*model.Config) string
	set  func(*model.Config)
}

// serverSettings are those that docs/mattermost.md names, beside the address of the
// callback.
func serverSettings() []serverSetting {
	flag := func(name string, at func(*model.Config) **bool, want bool) serverSetting {
		return serverSetting{
			name: name, want: fmt.Sprint(want),
			get: func(c *model.Config) string {
				if p := *at(c); p != nil {
					return fmt.Sprint(*p)
				}
				return ""
			},
			set: func(c *model.Config) { *at(c) = &want },
		}
	}
	return []serverSetting{
		flag("ServiceSettings.EnableLinkPreviews", func(c *model.Config) **bool { return &c.ServiceSettings.EnableLinkPreviews }, false),
		flag("EmailSettings.SendEmailNotifications", func(c *model.Config) **bool { return &c.EmailSettings.SendEmailNotifications }, false),
		flag("FileSettings.ExtractContent", func(c *model.Config) **bool { return &c.FileSettings.ExtractContent }, false),
		{
			name: "EmailSettings.PushNotificationContents", want: model.GenericNoChannelNotification,
			get: func(c *model.Config) string { return value(c.EmailSettings.PushNotificationContents) },
			set: func(c *model.Config) {
				c.EmailSettings.PushNotificationContents = model.NewPointer(model.GenericNoChannelNotification)
			},
		},
		{
			name: "ServiceSettings.PostEditTimeLimit", want: "-1",
			get: func(c *model.Config) string { return fmt.Sprint(*orZero(c.ServiceSettings.PostEditTimeLimit)) },
			set: func(c *model.Config) { c.ServiceSettings.PostEditTimeLimit = model.NewPointer(-1) },
		},
	}
}

func value(p *string) string { return *orZero(p) }

func orZero[T any](p *T) *T {
	if p == nil {
		return new(T)
	}
	return p
}

// settings changes the settings that are not as they should be, one by one, and looks
// whether that had an effect: what stands in the server's environment cannot be
// changed from outside, and the server does not say so.
func (b *builder) settings(ctx context.Context) error {
	now, resp, err := b.c.GetConfig(ctx)
	if err != nil {
		return refusedSetup("read the settings", resp)
	}
	all := serverSettings()
	if s, needed := b.reach(ctx, value(now.ServiceSettings.AllowedUntrustedInternalConnections)); needed {
		all = append(all, s)
	}
	patch, wrong := &model.Config{}, []serverSetting{}
	for _, s := range all {
		if s.get(now) == s.want {
			b.told("the setting "+s.name, "")
			continue
		}
		wrong = append(wrong, s)
		s.set(patch)
	}
	if len(wrong) > 0 && !b.DryRun {
		if _, resp, err := b.c.PatchConfig(ctx, patch); err != nil {
			return refusedSetup("change the settings", resp)
		}
		if now, resp, err = b.c.GetConfig(ctx); err != nil {
			return refusedSetup("read the settings again", resp)
		}
	}
	for _, s := range wrong {
		if !b.DryRun && s.get(now) != s.want {
			b.ask("the setting "+s.name, fmt.Sprintf("It stays %q: it stands in the server's environment. Set it to %q there.", s.get(now), s.want))
			continue
		}
		b.told("the setting "+s.name, "set to "+s.want)
	}
	if *orZero(now.RateLimitSettings.Enable) && !*orZero(now.RateLimitSettings.VaryByUser) {
		b.ask("the setting RateLimitSettings.VaryByUser", "Set it to true: rate limits are on, and the default stops everybody behind one address.")
	}
	if !*orZero(now.EmailSettings.SendPushNotifications) {
		b.ask("the setting EmailSettings.SendPushNotifications", "It is off: telephones do not ring. Set it to true and choose a push service.")
	}
	return nil
}

// reach is the setting by which Mattermost may reach the callback, if that needs one:
// an address of a private network. Others that stand there stay.
func (b *builder) reach(ctx context.Context, now string) (serverSetting, bool) {
	u, err := url.Parse(b.CallbackURL)
	if err != nil || !private(ctx, u.Hostname()) {
		return serverSetting{}, false
	}
	const name = "ServiceSettings.AllowedUntrustedInternalConnections"
	get := func(c *model.Config) string { return value(c.ServiceSettings.AllowedUntrustedInternalConnections) }
	listed := strings.FieldsFunc(now, func(r rune) bool { return r == ' ' || r == ',' })
	if others := slices.DeleteFunc(slices.Clone(listed), func(s string) bool { return s == u.Hostname() }); len(others) > 0 {
		b.ask("the setting "+name, "It names "+strings.Join(others, " ")+" too: every user of Mattermost can reach what is there through the server. Take out what nothing needs.")
	}
	want := now
	if !slices.Contains(listed, u.Hostname()) {
		want = strings.TrimSpace(now + " " + u.Hostname())
	}
	return serverSetting{name: name, want: want, get: get, set: func(c *model.Config) {
		c.ServiceSettings.AllowedUntrustedInternalConnections = &want
	}}, true
}

// private reports whether a host is one that Mattermost does not reach by itself, as
// far as that can be seen from here.
func private(ctx context.Context, host string) bool {
	inner := func(a netip.Addr) bool { return a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast() }
	if a, err := netip.ParseAddr(host); err == nil {
		return inner(a)
	}
	all, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	return err == nil && slices.ContainsFunc(all, func(a netip.Addr) bool { return inner(a.Unmap()) })
}

// leastRoles are the permissions that the roles keep.
func leastRoles() map[string][]string {
	return map[string][]string{
		model.SystemUserRoleId:  {"view_members", directRight},
		model.TeamUserRoleId:    {"view_team"},
		model.ChannelUserRoleId: {"read_channel", "read_channel_content", "create_post", "edit_post", "delete_post", "upload_file", "add_reaction", "remove_reaction"},
	}
}

// roles gives the roles what the bot needs and, if that is asked for, takes from them
// what the hotline does not need. Without a licence they are the whole server's.
func (b *builder) roles(ctx context.Context) error {
	for _, name := range []string{model.SystemUserRoleId, model.TeamUserRoleId, model.ChannelUserRoleId} {
		role, resp, err := b.c.GetRoleByName(ctx, name)
		if err != nil {
			return refusedSetup("read the role "+name, resp)
		}
		least, what := leastRoles()[name], "the role "+name
		lacks := without(least, role.Permissions)
		beyond := without(role.Permissions, least)
		want, did := slices.Concat(role.Permissions, lacks), []string{}
		if len(lacks) > 0 {
			did = append(did, "given "+strings.Join(lacks, ", "))
		}
		if b.LeastRoles && len(beyond) > 0 {
			want = least
			did = append(did, fmt.Sprintf("taken from everybody on this server: %s", strings.Join(beyond, ", ")))
		}
		b.told(what, strings.Join(did, "; "))
		if !b.LeastRoles && len(beyond) > 0 {
			b.ask(what, fmt.Sprintf("It has %d permissions that the hotline does not need. Roles are the whole server's: if nobody else uses this Mattermost, --least-roles takes them.", len(beyond)))
		}
		if len(did) == 0 || b.DryRun {
			continue
		}
		if _, resp, err := b.c.PatchRole(ctx, role.Id, &model.RolePatch{Permissions: &want}); err != nil {
			return refusedSetup("change the role "+name, resp)
		}
	}
	return nil
}

// without returns those of a list that are not in another.
func without(list, other []string) []string {
	return slices.DeleteFunc(slices.Sorted(slices.Values(list)), func(s string) bool { return slices.Contains(other, s) })
}
