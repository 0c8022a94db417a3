// A small bot with an unchanged grammY: by polling, or by webhook if WEBHOOK is
// the port to listen on.
import { createServer } from "node:http";
import { Bot, InlineKeyboard, webhookCallback } from "grammy";

const { TOKEN, URL: apiRoot, WEBHOOK } = process.env;
const bot = new Bot(TOKEN, { client: { apiRoot } });

bot.command("start", (ctx) =>
  ctx.reply("Halo", {
    reply_markup: new InlineKeyboard().text("Ya", "y").row().text("Tidak", "n"),
  }));
bot.callbackQuery("y", async (ctx) => {
  await ctx.answerCallbackQuery({ text: "baik" });
  await ctx.editMessageText("Baik", { reply_markup: new InlineKeyboard().text("Lagi", "again") });
});
bot.callbackQuery("again", async (ctx) => {
  await ctx.answerCallbackQuery();
  await ctx.editMessageReplyMarkup();
});
bot.hears("hapus", async (ctx) => {
  const m = await ctx.reply("sebentar");
  await ctx.api.deleteMessages(ctx.chat.id, [m.message_id, ctx.msg.message_id]);
});
bot.on("edited_message:text", (ctx) => ctx.reply("Diubah: " + ctx.editedMessage.text));
bot.on("message:photo", (ctx) => ctx.reply("Foto: " + (ctx.message.caption ?? "")));
bot.on("message:text", (ctx) => ctx.deleteMessage());
bot.catch((e) => console.error(e.error?.message ?? e));

await bot.api.setMyCommands([{ command: "start", description: "mulai" }]);
if (WEBHOOK) {
  const secretToken = "rahasia_123";
  createServer(webhookCallback(bot, "http", { secretToken })).listen(Number(WEBHOOK), "127.0.0.1");
  await bot.api.setWebhook(`http://127.0.0.1:${WEBHOOK}/`, { secret_token: secretToken });
} else {
  await bot.start();
}
