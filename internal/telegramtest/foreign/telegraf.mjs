// A small bot with an unchanged telegraf, by polling.
import { Telegraf } from "telegraf";
import { message, editedMessage } from "telegraf/filters";

const { TOKEN, URL: apiRoot } = process.env;
const bot = new Telegraf(TOKEN, { telegram: { apiRoot } });

// telegraf's Markup.button adds a field "hide" that the Bot API does not know.
// Telegram ignores such fields; the stand-in refuses them, so the keyboards are
// written out.
const keyboard = (...buttons) => ({
  reply_markup: { inline_keyboard: buttons.map(([text, callback_data]) => [{ text, callback_data }]) },
});

bot.start((ctx) => ctx.reply("Halo", keyboard(["Ya", "y"], ["Tidak", "n"])));
bot.action("y", async (ctx) => {
  await ctx.answerCbQuery("baik");
  await ctx.editMessageText("Baik", keyboard(["Lagi", "again"]));
});
bot.action("again", async (ctx) => {
  await ctx.answerCbQuery();
  await ctx.editMessageReplyMarkup(undefined);
});
bot.hears("hapus", async (ctx) => {
  const m = await ctx.reply("sebentar");
  await ctx.deleteMessages([m.message_id, ctx.message.message_id]);
});
bot.on(editedMessage("text"), (ctx) => ctx.reply("Diubah: " + ctx.editedMessage.text));
bot.on(message("photo"), (ctx) => ctx.reply("Foto: " + (ctx.message.caption ?? "")));
bot.on(message("text"), (ctx) => ctx.deleteMessage());
bot.catch((e) => console.error(e.message));

await bot.telegram.setMyCommands([{ command: "start", description: "mulai" }]);
await bot.launch();
