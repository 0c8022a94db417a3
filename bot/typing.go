package bot

import (
	"context"
	"fmt"
	"strconv"

	telegram "github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"
)

// Typing has the person's chat show, for five seconds at most, that somebody writes.
// It leaves nothing there. Whether it may be shown is not asked here.
func (b *Bot) Typing(ctx context.Context, caller string) error {
	chat, err := strconv.ParseInt(caller, 10, 64)
	if err != nil {
		return fmt.Errorf("bot: an address that is no chat's")
	}
	return b.api.yes(ctx, "sendChatAction", &telegram.SendChatActionParams{ChatID: chat, Action: models.ChatActionTyping})
}
