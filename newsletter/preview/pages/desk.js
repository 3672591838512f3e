// The page follows the files: a save reloads it and keeps the scroll position. The tab is in the URL.
"use strict";
const place = "scroll:" + location.pathname + location.search;
const kept = sessionStorage.getItem(place);
if (kept !== null) {
  sessionStorage.removeItem(place);
  window.scrollTo(0, Number(kept));
}
const events = new EventSource("/events");
events.addEventListener("saved", () => {
  sessionStorage.setItem(place, String(window.scrollY));
  location.reload();
});
window.addEventListener("pagehide", () => events.close());
