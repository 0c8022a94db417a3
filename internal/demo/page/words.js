// The page's own words. What the hotline says comes from its book.
const words = {
  en: {
    demo: "demo",
    sub: "The real program between two stand-ins. Nothing leaves this machine; all of it is erased when you end the demo.",
    language: "Language of this page",
    hint: "What to do",
    lost: "The demo has ended. Start it again with: suar demo",
    cancel: "Cancel", send: "Send", edit: "Edit", remove: "Delete",
    "phone.title": "Telegram: a person’s phone",
    "phone.bot": "bot",
    "phone.more": "More of this chat",
    "phone.block": "Block the bot", "phone.unblock": "Unblock the bot",
    "phone.another": "Another phone", "phone.back": "Back to phone {n}",
    "phone.chat": "Chat", "phone.start": "Start", "phone.empty": "Nothing here yet",
    "phone.commands": "Commands", "phone.photo": "Attach a photo",
    "phone.message": "Message", "phone.editing": "Editing a message",
    "phone.picture": "a photo", "phone.edited": "edited", "phone.you": "You", "phone.them": "Suar",
    "phone.person": "phone {n}",
    "channel.title": "Mattermost: the officers’ channel",
    "channel.as": "You act as", "channel.posts": "Posts",
    "channel.empty": "No case yet. A card appears here when a person asks for a human.",
    "channel.urgent": "URGENT", "channel.edited": "edited", "channel.deleted": "(message deleted)",
    "channel.reply": "Reply to the person…", "channel.replyto": "Reply in the thread of {code}",
    "channel.note": "Note //", "channel.isnote": "An internal note: it stays among the officers.",
    "channel.only": "Only {officer} sees this:", "channel.understood": "Dismiss",
    "sign.white_check_mark": "it is on the person’s phone", "sign.hourglass_flowing_sand": "it waits",
    "sign.lock": "it stays among the officers", "sign.x": "it did not reach the person",
    "kept.title": "What the server keeps",
    "kept.about": "Every record of its store, live, as somebody sees it who takes the disk. The server can reopen the records that its own key seals, because it has to go on working; transcripts it can only add to.",
    "kept.file": "store: {size}, {n} records", "kept.table": "Records of the store",
    "kept.name": "Name", "kept.size": "Bytes", "kept.head": "Begins with",
    "find.title": "Look for a word in the server’s files",
    "find.about": "In its store and its log: as text, base64, hexadecimal and UTF-16.",
    "find.word": "something you wrote", "find.go": "Search",
    "find.short": "Too short: three letters are in random bytes by chance. Take four or more.",
    "find.none": "0 hits", "find.hits": "{n} hits", "find.hit": "1 hit",
    "find.looked": "{n} files were searched, {size} in all.",
    "find.file": "{name}, {size}: text {raw}, base64 {base64}, hex {hex}, UTF-16 {utf16}",
    "find.else": "To compare: the phone’s chat shows it {telegram}×, Mattermost’s database holds it {mattermost}×. Those two can read what passes through them; the hotline says so to the person.",
    "open.title": "Open a case with the officer’s key",
    "open.about": "The key lies on siti’s machine, not on the server. This runs “suar open” on a copy of the store.",
    "open.go": "Open", "open.none": "no case yet",
    "open.good": "Opened and verified", "open.bad": "Not proven to be whole",
    "kind.cr": "Conversation", "about.cr": "its state; the server’s key opens it",
    "kind.wh": "Transcript: key", "about.wh": "sealed to the officers; the server cannot open it",
    "kind.we": "Transcript: entry", "about.we": "sealed to the case’s key; the server cannot open it",
    "kind.o": "Waiting effect", "about.o": "until it is delivered; the server’s key opens it",
    "kind.n": "Blind name", "about.n": "finds a conversation; a chat cannot be read from it",
    "kind.a": "Alarm", "about.a": "when to look again",
    "kind.ce": "Event seen", "about.ce": "so that nothing counts twice",
    "kind.e": "Event seen", "about.e": "by time, to forget it",
    "kind.i": "Conversation: name", "about.i": "blind; a chat cannot be read from it",
    "kind.t": "Transcript: name", "about.t": "of the case",
    "kind.#": "Number", "about.#": "where the next process goes on",
    "say.phone": "On the phone: {text}", "say.channel": "In the channel: {text}", "say.error": "That did not work: {text}",
    "hint.start": "On the phone, press **Start**.",
    "hint.choose": "On the phone, choose a **language**.",
    "hint.danger": "On the phone, press **{button}**, or any other button.",
    "hint.key": "On the phone, press any button you like.",
    "hint.write": "On the phone, answer or skip, then **write a message**.",
    "hint.written": "The person has written. Go on whenever you like: edit, attach, delete.",
    "hint.wait": "Then an officer answers in the channel.",
    "hint.claim": "In the channel, press **{button}** on the card.",
    "hint.reply": "In the channel, **reply** in the thread. A line with **//** stays among the officers.",
    "hint.close": "In the channel, press **{button}** on the card when you are done.",
    "hint.closed": "The case is closed. If the person writes again, a new one opens.",
    "hint.later": "In the end, see what the server kept, and open it with the officer’s key.",
    "hint.find": "Below, **search** the server’s files for a word you wrote.",
    "hint.open": "Below, **open** the case with the officer’s key.",
    "hint.seen": "You have seen all of it.",
  },
  id: {
    demo: "demo",
    sub: "Program yang sebenarnya di antara dua tiruan. Tidak ada yang keluar dari mesin ini; semuanya dihapus ketika demo selesai.",
    language: "Bahasa halaman ini",
    hint: "Apa yang dilakukan",
    lost: "Demo sudah selesai. Mulai lagi dengan: suar demo",
    cancel: "Batal", send: "Kirim", edit: "Ubah", remove: "Hapus",
    "phone.title": "Telegram: HP seseorang",
    "phone.bot": "bot",
    "phone.more": "Lainnya di chat ini",
    "phone.block": "Blokir bot", "phone.unblock": "Buka blokir bot",
    "phone.another": "HP lain", "phone.back": "Kembali ke HP {n}",
    "phone.chat": "Chat", "phone.start": "Mulai", "phone.empty": "Belum ada apa-apa",
    "phone.commands": "Perintah", "phone.photo": "Lampirkan foto",
    "phone.message": "Pesan", "phone.editing": "Mengubah pesan",
    "phone.picture": "foto", "phone.edited": "diubah", "phone.you": "Anda", "phone.them": "Suar",
    "phone.person": "HP {n}",
    "channel.title": "Mattermost: saluran petugas",
    "channel.as": "Anda sebagai", "channel.posts": "Pesan",
    "channel.empty": "Belum ada kasus. Kartu muncul di sini ketika seseorang meminta petugas.",
    "channel.urgent": "MENDESAK", "channel.edited": "diubah", "channel.deleted": "(pesan dihapus)",
    "channel.reply": "Balas orang itu…", "channel.replyto": "Balas di utas {code}",
    "channel.note": "Catatan //", "channel.isnote": "Catatan internal: hanya untuk petugas.",
    "channel.only": "Hanya {officer} yang melihat ini:", "channel.understood": "Tutup",
    "sign.white_check_mark": "sudah ada di HP orang itu", "sign.hourglass_flowing_sand": "menunggu",
    "sign.lock": "hanya untuk petugas", "sign.x": "tidak sampai ke orang itu",
    "kept.title": "Yang disimpan server",
    "kept.about": "Semua catatan di penyimpanannya, langsung, seperti yang dilihat orang yang mengambil disknya. Server dapat membuka lagi catatan yang disegel kuncinya sendiri, karena harus tetap bekerja; transkrip hanya dapat ditambahinya.",
    "kept.file": "store: {size}, {n} catatan", "kept.table": "Catatan di penyimpanan",
    "kept.name": "Nama", "kept.size": "Bita", "kept.head": "Diawali",
    "find.title": "Cari kata di berkas server",
    "find.about": "Di penyimpanan dan lognya: sebagai teks, base64, heksadesimal, dan UTF-16.",
    "find.word": "sesuatu yang Anda tulis", "find.go": "Cari",
    "find.short": "Terlalu pendek: tiga huruf bisa kebetulan ada di bita acak. Pakai empat atau lebih.",
    "find.none": "0 temuan", "find.hits": "{n} temuan", "find.hit": "1 temuan",
    "find.looked": "{n} berkas dicari, {size} seluruhnya.",
    "find.file": "{name}, {size}: teks {raw}, base64 {base64}, heks {hex}, UTF-16 {utf16}",
    "find.else": "Sebagai pembanding: chat di HP menampilkannya {telegram}×, basis data Mattermost memuatnya {mattermost}×. Keduanya dapat membaca yang lewat; hotline mengatakannya kepada orang itu.",
    "open.title": "Buka kasus dengan kunci petugas",
    "open.about": "Kunci itu ada di mesin siti, bukan di server. Ini menjalankan “suar open” pada salinan penyimpanan.",
    "open.go": "Buka", "open.none": "belum ada kasus",
    "open.good": "Terbuka dan terverifikasi", "open.bad": "Tidak terbukti utuh",
    "kind.cr": "Percakapan", "about.cr": "keadaannya; kunci server membukanya",
    "kind.wh": "Transkrip: kunci", "about.wh": "disegel untuk petugas; server tidak dapat membukanya",
    "kind.we": "Transkrip: entri", "about.we": "disegel dengan kunci kasus; server tidak dapat membukanya",
    "kind.o": "Tugas menunggu", "about.o": "sampai terkirim; kunci server membukanya",
    "kind.n": "Nama buta", "about.n": "menemukan percakapan; chat tidak dapat dibaca darinya",
    "kind.a": "Alarm", "about.a": "kapan dilihat lagi",
    "kind.ce": "Kejadian", "about.ce": "supaya tidak dihitung dua kali",
    "kind.e": "Kejadian", "about.e": "menurut waktu, untuk dilupakan",
    "kind.i": "Percakapan: nama", "about.i": "buta; chat tidak dapat dibaca darinya",
    "kind.t": "Transkrip: nama", "about.t": "kasusnya",
    "kind.#": "Nomor", "about.#": "awal proses berikutnya",
    "say.phone": "Di HP: {text}", "say.channel": "Di saluran: {text}", "say.error": "Tidak berhasil: {text}",
    "hint.start": "Di HP, tekan **Mulai**.",
    "hint.choose": "Di HP, pilih **bahasa**.",
    "hint.danger": "Di HP, tekan **{button}**, atau tombol lain.",
    "hint.key": "Di HP, tekan tombol mana saja.",
    "hint.write": "Di HP, jawab atau lewati, lalu **tulis pesan**.",
    "hint.written": "Orang itu sudah menulis. Silakan teruskan: ubah, lampirkan, hapus.",
    "hint.wait": "Lalu petugas menjawab di saluran.",
    "hint.claim": "Di saluran, tekan **{button}** pada kartu.",
    "hint.reply": "Di saluran, **balas** di utas. Baris dengan **//** hanya untuk petugas.",
    "hint.close": "Di saluran, tekan **{button}** pada kartu bila selesai.",
    "hint.closed": "Kasus ditutup. Bila orang itu menulis lagi, kasus baru terbuka.",
    "hint.later": "Akhirnya, lihat apa yang disimpan server, dan buka dengan kunci petugas.",
    "hint.find": "Di bawah, **cari** di berkas server kata yang Anda tulis.",
    "hint.open": "Di bawah, **buka** kasus dengan kunci petugas.",
    "hint.seen": "Anda sudah melihat semuanya.",
  },
};

let language = navigator.language.startsWith("id") ? "id" : "en";
const listeners = [];

/** The page's language, "en" or "id". */
export const current = () => language;

/** Words of the page, with {names} filled in. Unknown words are "". */
export function t(key, values = {}) {
  return (words[language][key] ?? "").replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

/** Calls f now and whenever the language changes. */
export function whenSpoken(f) {
  listeners.push(f);
  f();
}

/** Changes the language of the page. */
export function speak(to) {
  language = to;
  listeners.forEach((f) => f());
}

export const time = (at) => new Date(at).toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit" });

export const bytes = (n) =>
  n < 1024 ? `${n} B` : n < 1 << 20 ? `${round(n / 1024)} KiB` : `${round(n / (1 << 20))} MiB`;

const round = (n) => n.toLocaleString(language, { maximumFractionDigits: n < 10 ? 1 : 0 });
