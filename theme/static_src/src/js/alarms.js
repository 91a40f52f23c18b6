// Critical alarms on every page: a bar that the server draws, a number on the bell, a sound for who wants one.
// What was drawn on a visible page is reported: only that counts as delivered.

const reported = new Set();
let stamp = document.querySelector("[data-alarm-bar]")?.dataset.stamp ?? "";
let isDrawing = false;
let audio = null;

export function watchAlarms(live) {
  live.on("alarms", (data) => show(data));
  live.on("snapshot", () => report(live));
  document.addEventListener("visibilitychange", () => report(live));
  document.addEventListener("htmx:afterSwap", () => report(live));
  document.addEventListener("pointerdown", readySound, { once: true });

  async function show({ count, critical, stamp: told }) {
    for (const badge of document.querySelectorAll("[data-alarm-badge]")) {
      badge.dataset.kind = critical ? "bad" : count ? "warn" : "none";
      badge.querySelector("[data-alarm-count]").textContent = count || "";
      badge.setAttribute("aria-label", count ? `Alarms, ${count} not read` : "Alarms");
    }
    report(live);
    if (told === stamp || isDrawing) return;
    isDrawing = true;
    await draw().finally(() => (isDrawing = false));
    report(live);
  }
}

async function draw() {
  const old = document.querySelector("[data-alarm-bar]");
  const reply = await fetch("/alarms/bar/", { credentials: "same-origin" }).catch(() => null);
  if (!old || !reply?.ok || reply.redirected) return;
  const fresh = new DOMParser().parseFromString(await reply.text(), "text/html").body.firstElementChild;
  if (!fresh) return;
  const before = shownIn(old);
  stamp = fresh.dataset.stamp;
  old.replaceWith(fresh);
  window.htmx?.process(fresh);
  if ("sound" in fresh.dataset && shownIn(fresh).some((id) => !before.includes(id))) sound();
}

function shownIn(element) {
  return [...element.querySelectorAll("[data-alarm]")].map((line) => Number(line.dataset.alarm));
}

/** Tell the server which alarms stand on this page, once each drawing, and only while somebody can see them. */
function report(live) {
  if (document.visibilityState !== "visible") return;
  const news = shownIn(document).filter((id) => !reported.has(`${id} ${stamp}`));
  if (!news.length || !live.say({ type: "shown", alarms: [...new Set(news)].slice(0, 50) })) return;
  for (const id of news) reported.add(`${id} ${stamp}`);
}

function readySound() {
  audio ??= new AudioContext();
}

/** Two short tones; without a click on this page before, the browser keeps silent. */
function sound() {
  if (!audio) return;
  for (const [at, pitch] of [[0, 880], [0.25, 660]]) {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    tone.frequency.value = pitch;
    volume.gain.value = 0.15;
    tone.connect(volume).connect(audio.destination);
    tone.start(audio.currentTime + at);
    tone.stop(audio.currentTime + at + 0.2);
  }
}
