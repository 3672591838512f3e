// The desk in the browser: follows saved files, swaps what changed, sizes the frames, listens to keys.
// Every view works without it, by its URL.
"use strict";

const find = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const main = () => find("#main");
const said = find("#said");
let quiet = 0;

function say(words) {
  said.textContent = words;
  clearTimeout(quiet);
  quiet = setTimeout(() => { said.textContent = ""; }, 4000);
}

function remembered(name, fallback) {
  try { return localStorage.getItem(name) ?? fallback; } catch { return fallback; }
}

function remember(name, value) {
  try { localStorage.setItem(name, value); } catch { /* private windows keep nothing */ }
}

// --- frames: as high as their mail, no scroll bar of their own; a link in them is named, not followed

const heard = new WeakSet(); // the mails whose clicks are listened to

function settle(frame) {
  const mail = frame.contentDocument;
  if (!mail || !mail.documentElement) { // it was led away from the mail
    frame.dataset.strayed = Number(frame.dataset.strayed || 0) + 1;
    if (frame.dataset.strayed < 4) frame.src = frame.src;
    return;
  }
  if (mail.URL === "about:blank") return;
  mail.documentElement.style.scrollbarWidth = "none";
  if (!frame.closest(".small")) {
    // Not scrollHeight: that is never less than the frame's own height.
    frame.style.height = `${Math.max(420, Math.ceil(mail.documentElement.getBoundingClientRect().height))}px`;
  }
  frame.dataset.settled = "yes";
  if (heard.has(mail)) return;
  heard.add(mail);
  mail.addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest("a[href], area[href]");
    if (!link) return;
    event.preventDefault();
    const href = link.getAttribute("href");
    const inside = href.startsWith("#") && href.length > 1 && mail.getElementById(href.slice(1));
    if (inside) window.scrollTo({ top: frame.getBoundingClientRect().top + scrollY + inside.offsetTop });
    else say(`Leads to ${href}`);
  }, true);
}

// A frame is settled before its pictures are there: Chromium never ends loading some hostile mails.
function watch(frame, turns = 40) {
  const mail = frame.contentDocument;
  if (mail && mail.URL !== "about:blank" && mail.readyState !== "loading" && !heard.has(mail)) settle(frame);
  if (turns && frame.isConnected) setTimeout(() => watch(frame, turns - 1), turns > 30 ? 20 : 100);
}

function settleAll(within = document) {
  for (const frame of all("iframe", within)) {
    frame.addEventListener("load", () => settle(frame));
    watch(frame);
  }
}

function reload(frames) {
  for (const frame of frames) {
    frame.contentWindow.location.replace(frame.src);
    watch(frame);
  }
}

// --- swapping: of a page that is shown already only the parts that differ are put in

const served = new WeakMap();

function take(within) {
  for (const part of all("[data-part]", within)) served.set(part, part.outerHTML);
}

function put(old, fresh) {
  if (fresh.dataset.later !== undefined) return false; // asked for in a moment
  if (served.get(old) === fresh.outerHTML) return false;
  const inner = all("[data-part]", fresh);
  const names = (parts) => parts.map((part) => part.dataset.part).join();
  if (inner.length && names(inner) === names(all("[data-part]", old))) {
    inner.forEach((part, at) => put(all("[data-part]", old)[at], part));
    served.set(old, fresh.outerHTML);
    return true;
  }
  const open = all("details[open][id]", old).map((each) => each.id);
  const copy = document.importNode(fresh, true);
  served.set(copy, fresh.outerHTML);
  for (const part of all("[data-part]", copy)) served.set(part, part.outerHTML);
  old.replaceWith(copy);
  for (const id of open) find(`details#${CSS.escape(id)}`, copy)?.setAttribute("open", "");
  settleAll(copy);
  return true;
}

function swap(next, whole) {
  const old = main(), fresh = find("#main", next);
  const focus = document.activeElement && document.activeElement.id;
  const other = old.dataset.slug !== fresh.dataset.slug || old.dataset.page !== fresh.dataset.page;
  const failure = find("#failure", next);
  if (failure && !fresh.dataset.slug && old.dataset.slug && !whole) {
    const place = find("[data-part=error]", old);
    place.replaceChildren(document.importNode(failure, true));
    served.delete(place); // or the card would outlive the fault: what is served is empty again
    return; // nothing better to show than what is there
  }
  document.title = next.title;
  const changed = old.dataset.content !== fresh.dataset.content;
  Object.assign(old.dataset, fresh.dataset);
  const parts = all("[data-part]", old).filter((part) => !part.parentElement.closest("[data-part]"));
  const news = all("[data-part]", fresh).filter((part) => !part.parentElement.closest("[data-part]"));
  if (!news.length && served.get(old) === fresh.innerHTML) return;
  if (other || !news.length || parts.length !== news.length) {
    served.set(old, fresh.innerHTML);
    old.replaceChildren(...[...fresh.childNodes].map((node) => document.importNode(node, true)));
    for (const name of Object.keys(old.dataset)) if (!(name in fresh.dataset)) delete old.dataset[name];
    take(old);
    settleAll(old);
  } else {
    const before = new Set(all("iframe", old));
    parts.forEach((part, at) => put(part, news[at]));
    if (changed) reload(all("iframe", old).filter((frame) => before.has(frame)));
  }
  if (focus && document.activeElement.id !== focus) document.getElementById(focus)?.focus({ preventScroll: true });
  arrange();
}

let asked = 0;

async function show(url, { push = false, whole = false, soon = false } = {}) {
  const turn = ++asked;
  let answer, text;
  try {
    answer = await fetch(url, { headers: { Accept: "text/html", "X-Desk": soon ? "soon" : "" } });
    text = await answer.text();
  } catch {
    return; // the desk is gone: the live sign says so
  }
  if (turn !== asked) return;
  const next = new DOMParser().parseFromString(text, "text/html");
  if (!find("#main", next)) return;
  if (push) history.pushState(null, "", answer.url);
  swap(next, whole);
  if (find("[data-later]", next)) setTimeout(() => { if (turn === asked) show(url); }, 150);
}

function arrange() {
  const line = new URLSearchParams(location.search).get("line");
  const chosen = line && document.getElementById(`L${line}`);
  if (chosen && chosen.dataset.seen !== line) {
    chosen.dataset.seen = line;
    chosen.scrollIntoView({ block: "center" });
  }
}

// --- live

const follow = find("#follow"), live = find("#live");
follow.checked = remembered("follow", "") === "yes";
follow.addEventListener("change", () => remember("follow", follow.checked ? "yes" : ""));
let stream = null;

function listen() {
  stream = new EventSource("/events");
  stream.onopen = () => { live.dataset.state = "on"; };
  stream.onerror = () => { live.dataset.state = "off"; };
  stream.addEventListener("saved", (event) => {
    const { slug, inbox_only } = JSON.parse(event.data);
    const here = main().dataset;
    if (inbox_only && here.slug) return;
    if (slug && slug !== here.slug && (follow.checked || location.pathname === "/")) {
      show(`/preview/${slug}${here.slug ? location.search : ""}`, { push: true, whole: true, soon: Boolean(here.slug) });
      say(`Opened ${slug}`);
    } else {
      show(location.href, { soon: true });
    }
  });
}

function hush() {
  if (stream) stream.close();
  stream = null;
  live.dataset.state = "off";
}

// A browser opens six connections to one host: a page in the background gives its own back.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) hush();
  else if (!stream) { listen(); show(location.href); }
});
window.addEventListener("pagehide", hush);
window.addEventListener("popstate", () => show(location.href, { whole: true }));

// --- toolbar

function asUrl(form) {
  const query = new URLSearchParams();
  const usual = { w: "", look: "both", zoom: "100", tab: "mail" };
  for (const [name, value] of new FormData(form)) {
    if (value && value !== usual[name]) query.append(name, value);
  }
  const own = query.toString();
  return form.getAttribute("action") + (own ? `?${own}` : "");
}

function chooseWidth(width) {
  const url = new URL(location.href);
  const clamped = Math.min(1200, Math.max(280, Math.round(width)));
  url.searchParams.set("w", String(clamped));
  show(url.href, { push: true });
}

document.addEventListener("change", (event) => {
  if (event.target.id === "w-number") {
    if (event.target.value) chooseWidth(Number(event.target.value));
  } else if (event.target.form && event.target.form.id === "look") {
    const form = event.target.form, url = asUrl(form);
    const width = new URLSearchParams(location.search).get("w");
    const keep = width && !find("input[name=w]:checked", form);
    show(keep ? `${url}${url.includes("?") ? "&" : "?"}w=${width}` : url, { push: true });
  } else if (event.target.id === "keys") {
    remember("keys", event.target.checked ? "yes" : "no");
  }
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.id === "reader-form") {
    event.preventDefault();
    show(asUrl(form), { push: true });
  } else if (form.id === "look") {
    event.preventDefault(); // "change" has seen to it
  } else if (form.id === "proof-form") {
    event.preventDefault();
    prove(form);
  }
});

async function prove(form) {
  const result = find("#proof-result"), button = find("button", form);
  result.textContent = "Sending …";
  button.disabled = true;
  try {
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const words = find("#proof-said, .message, #failure", page);
    result.textContent = words ? words.innerText || words.textContent.trim() : `The desk answered ${answer.status}`;
    result.classList.toggle("bad", !answer.ok);
  } catch {
    result.textContent = "The desk does not answer.";
  }
  button.disabled = false;
}

// --- width by hand

function stretch(width) {
  for (const glass of all(".canvas .window")) {
    find("iframe", glass).style.width = `${width}px`;
    find("output", glass).textContent = width;
    find(".grip", glass).setAttribute("aria-valuenow", width);
  }
}

document.addEventListener("pointerdown", (event) => {
  const grip = event.target.closest(".grip");
  if (!grip) return;
  event.preventDefault();
  grip.focus();
  const frame = find("iframe", grip.parentElement), from = event.clientX, start = frame.offsetWidth;
  let width = start;
  document.body.classList.add("dragging");
  const move = (moved) => {
    width = Math.min(1200, Math.max(280, start + Math.round(moved.clientX - from)));
    stretch(width);
  };
  const end = () => {
    removeEventListener("pointermove", move);
    document.body.classList.remove("dragging");
    if (width !== start) chooseWidth(width);
  };
  addEventListener("pointermove", move);
  addEventListener("pointerup", end, { once: true });
});

// --- clicks and keys

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button");
  if (button && button.dataset.copy !== undefined) return copy(button.dataset.copy, button.dataset.copy);
  if (button && button.dataset.copyFrom) return copy(await (await fetch(button.dataset.copyFrom)).text(), "the HTML");
  if (button && button.dataset.opens) return find(`#${button.dataset.opens}`).showModal();
  if (button && button.dataset.closes) return find(`#${button.dataset.closes}`).close();
  if (button && button.id === "help-open") return find("#help").showModal();
  if (button && button.id === "proof-open") return find("#proof").showModal();
  if (button && button.id === "proof-close") return find("#proof").close();
  const link = event.target.closest("a[href]");
  const plain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
  if (link && plain && !link.hasAttribute("download") && main().dataset.slug
      && !link.hash && link.origin === location.origin && /^\/(preview|inbox)\/[^/]+$/.test(link.pathname)) {
    event.preventDefault();
    show(link.href, { push: true, whole: true });
  }
});

async function copy(text, words) {
  await navigator.clipboard.writeText(text);
  say(`Copied ${words}`);
}

function step(links, by) {
  const at = links.findIndex((link) => link.getAttribute("aria-current"));
  links[(at + by + links.length) % links.length].click();
}

function turn(name) {
  const choices = all(`#look input[name=${name}], #look select[name=${name}] option`);
  const at = choices.findIndex((each) => each.checked || each.selected);
  const next = choices[(at + 1) % choices.length];
  if (next.tagName === "OPTION") {
    next.parentElement.value = next.value;
    next.parentElement.dispatchEvent(new Event("change", { bubbles: true }));
  } else next.click();
}

const KEYS = {
  "?": () => find("#help").showModal(),
  "[": () => step(all(".tabs a"), -1),
  "]": () => step(all(".tabs a"), 1),
  j: () => find("#older")?.click(),
  k: () => find("#newer")?.click(),
  l: () => turn("look"),
  w: () => turn("w"),
  z: () => turn("zoom"),
  i: () => find("#lens-images-off")?.click(),
  s: () => find("#lens-no-style")?.click(),
  v: () => find("#lens-inverted")?.click(),
  o: () => find("#lens-word")?.click(),
  c: () => find("#tab-checks")?.click(),
  p: () => find("#proof")?.showModal(),
  f: () => { follow.click(); say(follow.checked ? "Following saves" : "Staying here"); },
};

document.addEventListener("keydown", (event) => {
  const target = event.target;
  const grip = target.closest && target.closest(".grip");
  const tab = target.closest && target.closest(".tabs a");
  const sideways = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (grip && sideways) {
    event.preventDefault();
    stretch(Math.min(1200, Math.max(280, Number(grip.getAttribute("aria-valuenow")) + sideways * (event.shiftKey ? 50 : 10))));
    clearTimeout(grip.wait);
    grip.wait = setTimeout(() => chooseWidth(Number(grip.getAttribute("aria-valuenow"))), 400);
    return;
  }
  if (tab && (sideways || event.key === "Home" || event.key === "End")) {
    event.preventDefault();
    const tabs = all("a", tab.parentElement), at = tabs.indexOf(tab);
    const to = event.key === "Home" ? 0 : event.key === "End" ? tabs.length - 1 : (at + sideways + tabs.length) % tabs.length;
    tabs[to].focus();
    tabs[to].click();
    return;
  }
  const typing = target.matches && target.matches("input:not([type=radio], [type=checkbox]), select, textarea");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || find("dialog[open]")) return;
  if (event.key !== "?" && remembered("keys", "yes") === "no") return;
  const act = KEYS[event.key];
  if (act && (event.key === "?" || event.key === "f" || main().dataset.slug)) {
    event.preventDefault();
    act();
  }
});

find("#keys").checked = remembered("keys", "yes") !== "no";
take(document);
served.set(main(), main().innerHTML);
settleAll();
arrange();
new ResizeObserver(() => all(".window iframe").forEach((frame) => frame.dataset.settled && settle(frame))).observe(document.documentElement);
listen();
