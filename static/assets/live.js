// Every page works without this file. It swaps server-rendered parts when a
// state event arrives, copies links, and marks a pressed button as busy. It is
// written for the oldest kernels in use: no arrow functions, no optional chaining.
(function () {
  var box = document.querySelector("[data-live]"), es, wait = 1000, silence, heard;
  document.documentElement.className = "js";
  if (box) {
    if (window.EventSource) open(); else setTimeout(function () { location.reload(); }, 5000);
    // A computer that slept, or a network that went away without a word, leaves a
    // stream that looks open. The site sends a beat every 15 seconds.
    setInterval(stale, 5000);
    document.addEventListener("visibilitychange", function () {
      if (!document.hidden && es && es.readyState === 2) open(); else stale();
    });
    window.addEventListener("online", function () { if (es) open(); });
  }
  // A page of a phone has no stream. While it waits it asks for itself, and gives
  // way as soon as the answer waits no longer.
  if (document.querySelector("[data-poll]")) setInterval(poll, 5000);
  function poll() {
    var r = new XMLHttpRequest();
    r.open("GET", location.href);
    r.onload = function () { if (r.responseText.indexOf("data-poll") < 0) location.reload(); };
    r.send();
  }
  // WeChat on iOS shows pages from its back-forward cache: the stream is dead
  // and what the page says is old.
  window.addEventListener("pageshow", function (e) {
    busy(document, false);
    if (!e.persisted) return;
    if (box) open(); else if (document.querySelector("[data-stale]")) location.reload();
  });
  function stale() {
    if (es && es.readyState < 2 && Date.now() - heard > 40000) { lost(true); open(); }
  }
  function hear() { heard = Date.now(); wait = 1000; lost(false); }
  function open() {
    if (es) es.close();
    heard = Date.now();
    es = new EventSource(box.getAttribute("data-live"));
    es.addEventListener("state", function (e) { hear(); show(e.data); });
    es.addEventListener("beat", hear);
    es.addEventListener("go", function (e) { leave(); location.assign(e.data); });
    es.addEventListener("end", leave);
    es.onerror = function () {
      lost(true);
      if (es && es.readyState === 2) setTimeout(open, wait = Math.min(wait * 2, 30000));
    };
  }
  function leave() { es.close(); es = null; lost(false); }
  // A stream that is back at once, as after a restart, is not worth a word.
  function lost(is) {
    var el = document.querySelector("[data-lost]");
    if (!el) return;
    if (is) { silence = silence || setTimeout(function () { el.hidden = false; }, 2000); return; }
    clearTimeout(silence);
    silence = 0;
    el.hidden = true;
  }
  // Only parts that differ are replaced, so that the code does not flicker and
  // an opened list stays open.
  function show(html) {
    var t = document.createElement("template"), i, part, old;
    t.innerHTML = html;
    for (i = 0; i < t.content.children.length; i++) {
      part = t.content.children[i];
      if (part.getAttribute("data-part") === "title") { document.title = part.textContent; continue; }
      old = document.querySelector("[data-part=" + part.getAttribute("data-part") + "]");
      if (old && old.innerHTML !== part.innerHTML) old.innerHTML = part.innerHTML;
    }
  }
  function busy(root, is) {
    var i, all = root.querySelectorAll("[type=submit]");
    for (i = 0; i < all.length; i++) if (is) all[i].setAttribute("aria-busy", "true"); else all[i].removeAttribute("aria-busy");
  }
  document.addEventListener("submit", function (e) { busy(e.target, true); });
  document.addEventListener("click", function (e) {
    var b = e.target.closest && e.target.closest("[data-copy]"), el;
    if (!b) return;
    el = document.getElementById(b.getAttribute("data-copy"));
    if (navigator.clipboard && window.isSecureContext) navigator.clipboard.writeText(el.value).then(done, select);
    else select();
    function select() { el.focus(); el.select(); try { if (document.execCommand("copy")) done(); } catch (_) { /* the text stays selected */ } }
    function done() { b.querySelector("span").textContent = b.getAttribute("data-done"); }
  });
})();
