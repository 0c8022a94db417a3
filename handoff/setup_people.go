package handoff

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/mattermost/mattermost/server/public/model"

	"suar/internal/secret"
)

// theBot makes an account and turns it into a bot that owns itself: one that a person
// owns stops when the person leaves.
func (b *builder) theBot(ctx context.Context) error {
	what := "the bot " + b.Bot
	user, resp, err := b.c.GetUserByUsername(ctx, b.Bot, "")
	switch {
	case err == nil && !user.IsBot:
		return fmt.Errorf("handoff: %s is a person's account: name another", what)
	case err == nil && strings.Contains(user.Roles, model.SystemAdminRoleId):
		return fmt.Errorf("handoff: %s is a system administrator: whoever has its token could read and change everything; take that role from it", what)
	case err == nil && user.DeleteAt != 0:
		return fmt.Errorf("handoff: %s is disabled: enable it, or name another", what)
	case err == nil:
		b.bot = user
		b.told(what, "")
		return nil
	case !missingHere(resp):
		return refusedSetup("look for the bot", resp)
	}
	b.told(what, "made")
	if b.DryRun {
		return nil
	}
	user, resp, err = b.c.CreateUser(ctx, &model.User{Username: b.Bot, Email: b.Bot + "@hotline.invalid", Password: rand.Text() + "a1-"})
	if err != nil {
		return refusedSetup("make the bot's account", resp)
	}
	if _, resp, err = b.c.ConvertUserToBot(ctx, user.Id); err != nil {
		return refusedSetup("make the account "+b.Bot+" a bot (do it with mmctl --local user convert "+b.Bot+" --bot)", resp)
	}
	b.bot = user
	return nil
}

// theToken gives the bot a token unless it has one that works.
func (b *builder) theToken(ctx context.Context) error {
	const what = "the bot's token"
	if !b.Token.Empty() && b.bot != nil {
		works, err := b.tokenWorks(ctx)
		if err != nil {
			return err
		}
		if works {
			b.told(what, "")
			return nil
		}
	}
	b.told(what, "made")
	if b.DryRun {
		return nil
	}
	token, resp, err := b.c.CreateUserAccessToken(ctx, b.bot.Id, "suar", 0)
	if err != nil {
		return refusedSetup("make a token for the bot", resp)
	}
	return b.KeepToken(secret.New(token.Token))
}

// tokenWorks reports whether the present token is the bot's.
func (b *builder) tokenWorks(ctx context.Context) (bool, error) {
	own := model.NewAPIv4Client(b.c.URL)
	own.HTTPClient = b.c.HTTPClient
	if b.local { // The socket asks for no token.
		own = model.NewAPIv4Client(strings.TrimRight(b.URL, "/"))
	}
	own.SetToken(b.Token.Reveal())
	me, resp, err := own.GetMe(ctx, "")
	switch {
	case resp != nil && resp.StatusCode == http.StatusUnauthorized:
		return false, nil
	case err != nil:
		return false, refusedSetup("try the bot's token", resp)
	case me.Id != b.bot.Id:
		return false, errors.New("handoff: the token in the configuration is of another account than the bot's: name that account with --bot, or move the token away")
	}
	return true, nil
}

// theOfficers brings the bot and the officers into the team and the channel.
func (b *builder) theOfficers(ctx context.Context) error {
	for _, name := range append([]string{b.Bot}, b.Officers...) {
		user, resp, err := b.c.GetUserByUsername(ctx, name, "")
		switch {
		case missingHere(resp) && b.DryRun && name == b.Bot:
			b.told("the bot in the channel", "added")
			continue
		case missingHere(resp):
			b.ask("the officer "+name, "There is no such account: invite the officer, and run this again.")
			continue
		case err != nil:
			return refusedSetup("look for an officer", resp)
		case user.DeleteAt != 0:
			b.ask("the officer "+name, "The account is deactivated.")
			continue
		}
		what := "the officer " + name + " in the channel"
		if name == b.Bot {
			what = "the bot in the channel"
		}
		added, err := b.join(ctx, user.Id)
		if err != nil {
			return err
		}
		did := ""
		if added {
			did = "added"
		}
		b.told(what, did)
	}
	return nil
}

// join brings somebody into the team and the channel, and reports whether that was
// needed.
func (b *builder) join(ctx context.Context, user string) (bool, error) {
	if b.channel != nil {
		_, resp, err := b.c.GetChannelMember(ctx, b.channel.Id, user, "")
		if err == nil {
			return false, nil
		}
		if !missingHere(resp) {
			return false, refusedSetup("look who is in the channel", resp)
		}
	}
	if b.DryRun {
		return true, nil
	}
	if _, resp, err := b.c.AddTeamMember(ctx, b.team.Id, user); err != nil {
		return false, refusedSetup("add somebody to the team", resp)
	}
	if _, resp, err := b.c.AddChannelMember(ctx, b.channel.Id, user); err != nil {
		return false, refusedSetup("add somebody to the channel", resp)
	}
	return true, nil
}

// leave takes the administrator out of a channel that was made in their session,
// unless they are an officer.
func (b *builder) leave(ctx context.Context) error {
	if !b.made || b.me == nil || slices.Contains(b.Officers, b.me.Username) {
		return nil
	}
	if resp, err := b.c.RemoveUserFromChannel(ctx, b.channel.Id, b.me.Id); err != nil {
		return refusedSetup("leave the channel", resp)
	}
	b.told("the administrator, who is no officer, in the channel", "taken out")
	return nil
}

// isOurs reports whether a command was made by the bot or by an administrator. Whoever
// made it knows its token, and may lead it elsewhere later.
func (b *builder) isOurs(ctx context.Context, command *model.Command) (bool, error) {
	if b.bot != nil && command.CreatorId == b.bot.Id || b.me != nil && command.CreatorId == b.me.Id {
		return true, nil
	}
	user, resp, err := b.c.GetUser(ctx, command.CreatorId, "")
	if err != nil && !missingHere(resp) {
		return false, refusedSetup("look who made the slash command", resp)
	}
	return err == nil && user.DeleteAt == 0 && user.IsSystemAdmin(), nil
}

// theCommand registers /suar. One that somebody else registered is made anew.
func (b *builder) theCommand(ctx context.Context) error {
	what, url := "the slash command /"+commandWord, strings.TrimRight(b.CallbackURL, "/")+"/mattermost/command"
	var there *model.Command
	if b.team != nil {
		all, resp, err := b.c.ListCommands(ctx, b.team.Id, true)
		if err != nil {
			return refusedSetup("look for the slash command", resp)
		}
		if i := slices.IndexFunc(all, func(c *model.Command) bool { return c.Trigger == commandWord }); i >= 0 {
			there = all[i]
		}
	}
	did, made := "made", false
	if there != nil {
		ours, err := b.isOurs(ctx, there)
		if err != nil {
			return err
		}
		if !ours {
			if !b.DryRun {
				if resp, err := b.c.DeleteCommand(ctx, there.Id); err != nil {
					return refusedSetup("take away the slash command that somebody else made", resp)
				}
			}
			there, did = nil, "made anew: it was somebody else's"
		}
	}
	switch {
	case there != nil && (there.URL != url || there.Method != model.CommandMethodPost):
		b.told(what, "led to the hotline's address")
		if b.DryRun {
			return nil
		}
		there.URL, there.Method = url, model.CommandMethodPost
		if _, resp, err := b.c.UpdateCommand(ctx, there); err != nil {
			return refusedSetup("change the slash command", resp)
		}
	case there != nil:
		b.told(what, "")
	default:
		b.told(what, did)
		if b.DryRun {
			return nil
		}
		command := &model.Command{
			TeamId: b.team.Id, Trigger: commandWord, Method: model.CommandMethodPost, URL: url, DisplayName: "Suar",
			AutoComplete: true, AutoCompleteDesc: "Suar", AutoCompleteHint: "help | mine | waiting | duty | find CODE | status",
		}
		if b.me != nil {
			command.CreatorId = b.me.Id
		} else {
			command.CreatorId = b.bot.Id
		}
		var resp *model.Response
		var err error
		if there, resp, err = b.c.CreateCommand(ctx, command); err != nil {
			return refusedSetup("make the slash command", resp)
		}
		made = true
		b.HasCommandToken = false // That of a command that is no more.
	}
	if b.HasCommandToken {
		return nil
	}
	b.told("the slash command's token", "kept")
	if b.DryRun {
		return nil
	}
	if made {
		return b.KeepCommandToken(secret.New(there.Token))
	}
	// Who knows the token of a command that is older nobody can say.
	token, resp, err := b.c.RegenCommandToken(ctx, there.Id)
	if err != nil {
		return refusedSetup("make a new token for the slash command", resp)
	}
	return b.KeepCommandToken(secret.New(token))
}
