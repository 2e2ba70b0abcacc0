// What pages do beyond reading: keys, times, and the line that says that the connection is lost. Nothing here decides anything.
(() => {
  "use strict";
  const page = document.documentElement;
  page.classList.add("scripts");

  // Times: as the server told them (UTC), local, or relative to the store's clock, which goes on while the page is open.
  const opened = Date.now();
  const storeNow = () => Date.parse(document.body.dataset.now || new Date().toISOString()) + (Date.now() - opened);
  const units = [["year", 31536000], ["month", 2592000], ["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
  const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  const local = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });
  const relativeTo = (time) => {
    const seconds = (time - storeNow()) / 1000;
    const [unit, size] = units.find(([, length]) => Math.abs(seconds) >= length) || units.at(-1);
    return relative.format(Math.round(seconds / size), unit);
  };
  const kept = (name, otherwise) => { try { return localStorage.getItem(name) || otherwise; } catch { return otherwise; } };
  const keep = (name, value) => { try { localStorage.setItem(name, value); } catch { /* a browser that keeps nothing */ } };
  // Whoever may choose begins with UTC; a customer, who may not, reads his own clock.
  const times = document.getElementById("times"), usual = times ? "utc" : "local";
  const tellTimes = () => {
    const how = kept("o2c-times", usual);
    for (const element of document.querySelectorAll("time")) {
      element.dataset.utc ||= element.textContent;
      const time = Date.parse(element.dateTime);
      element.textContent = how === "local" ? local.format(time) : how === "relative" ? relativeTo(time) : element.dataset.utc;
    }
  };
  if (times) {
    times.value = kept("o2c-times", usual);
    times.addEventListener("change", () => { keep("o2c-times", times.value); tellTimes(); });
  }
  tellTimes();
  setInterval(() => { if (kept("o2c-times", usual) === "relative") tellTimes(); }, 30000);

  // Rows: one is the place where the keys work; it stays with its row when the list is told anew, wherever that has come to.
  let place = -1, placed = "";
  const rows = () => [...document.querySelectorAll("[data-row]")];
  const go = (to) => {
    const all = rows();
    if (!all.length) return;
    place = Math.max(0, Math.min(all.length - 1, to));
    all.forEach((row, number) => row.classList.toggle("at", number === place));
    placed = all[place].id;
    all[place].scrollIntoView({ block: "nearest" });
    all[place].querySelector("a.open")?.focus();
  };
  const replace = () => {
    const all = rows(), found = all.findIndex((row) => placed && row.id === placed);
    place = found >= 0 ? found : Math.min(place, all.length - 1);
    all.forEach((row, number) => row.classList.toggle("at", number === place));
  };
  const choose = () => {
    const box = rows()[Math.max(place, 0)]?.querySelector("input[type=checkbox]");
    if (box) { box.checked = !box.checked; if (place < 0) go(0); }
  };
  const press = (key) => {
    const button = document.querySelector(`button[data-key="${key}"]`);
    if (!button) return;
    const form = button.form;
    if (form?.id === "chosen" && !form.querySelector("input[type=checkbox]:checked")) choose();
    button.click();
  };
  const keys = document.getElementById("keys");
  const acts = {
    "/": () => document.getElementById("search")?.focus(), "?": () => keys?.showModal(),
    j: () => go(place + 1), k: () => go(place - 1), x: choose, c: () => press("c"), r: () => press("r"),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || keys?.open || !acts[event.key]) return;
    if (event.target.matches?.("input:not([type=checkbox]):not([type=range]), textarea, select")) return;
    event.preventDefault();
    acts[event.key]();
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-press]");
    if (button) acts[button.dataset.press]?.();
  });
  document.getElementById("help")?.addEventListener("click", () => keys?.showModal());

  // A table that is wider than its place is scrolled by keys as well: where nothing in it takes the focus, it takes it itself (WCAG 2.1.1).
  const reach = () => {
    for (const area of document.querySelectorAll(".scroll:not([tabindex]), .scroll[data-reached]")) {
      const wide = area.scrollWidth > area.clientWidth && !area.querySelector("a, button, input, select, textarea, summary");
      const label = area.querySelector("caption")?.textContent || "Table";
      const said = { "data-reached": "", tabindex: "0", role: "region", "aria-label": label };
      for (const [name, value] of Object.entries(said)) wide ? area.setAttribute(name, value) : area.removeAttribute(name);
    }
  };
  reach();
  addEventListener("resize", reach);
  document.addEventListener("toggle", reach, true);

  // A form is sent once, however often somebody presses.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    setTimeout(() => delete form.dataset.sent, 8000);
  });

  // The slider of an order's past goes to the moment where it is let go.
  document.addEventListener("change", (event) => {
    const slider = event.target.closest?.("input[data-moments]");
    if (slider) slider.form.requestSubmit();
  });
  document.querySelector("[data-print]")?.addEventListener("click", () => print());

  // Whether the service answers, asked only while somebody looks, and whether the lists of the page could be told anew. A list that could not
  // stays as it was: an error is no list.
  const lost = document.getElementById("lost"), gone = lost.textContent;
  let unheard = false, untold = "";
  const tell = () => {
    lost.hidden = !unheard && !untold;
    if (!lost.hidden) lost.textContent = unheard ? gone : untold;
  };
  const look = async () => {
    if (document.visibilityState !== "visible") return;
    try { unheard = !(await fetch("/console/alive", { cache: "no-store" })).ok; } catch { unheard = true; }
    tell();
  };
  const refresh = () => document.querySelectorAll("[data-live]").forEach((list) => list.dispatchEvent(new Event("refresh")));
  setInterval(look, 5000);
  addEventListener("offline", () => { unheard = true; tell(); });
  addEventListener("online", () => look().then(refresh));
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") look().then(refresh); });
  document.addEventListener("htmx:after:request", (event) => {
    const status = event.detail.ctx.response.status;
    untold = status === 401 ? lost.dataset.out : status >= 400 ? lost.dataset.ill : "";
    if (untold) event.preventDefault();
    tell();
  });
  document.addEventListener("htmx:error", () => { look(); });
  document.addEventListener("htmx:after:swap", () => { tellTimes(); reach(); if (place >= 0) replace(); });
})();
