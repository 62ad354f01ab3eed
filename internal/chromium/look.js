// What a test asks a page; it runs beside axe-core in every document.
window.look = {
  // axe lists what axe-core finds: with every rule of WCAG 2.2 A and AA and of best
  // practice, or with these rules alone.
  axe: async function (rules) {
    const wanted = rules ? { type: "rule", values: rules } : { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"] };
    const r = await axe.run(document, { runOnly: wanted, rules: rules ? {} : { "target-size": { enabled: true } }, resultTypes: ["violations"], preload: false });
    if (r.violations.length + r.passes.length === 0) return ["axe-core looked at nothing"];
    return r.violations.flatMap((v) => v.nodes.map((n) => "axe " + v.id + ": " + n.html.slice(0, 160) + " " + n.failureSummary.replace(/\s+/g, " ")));
  },

  // open shows what is folded or waits for an event.
  open: function () {
    document.querySelectorAll("details").forEach((d) => { d.open = true; });
    document.querySelectorAll("[data-lost]").forEach((e) => { e.hidden = false; });
    return true;
  },

  // wide lists what does not fit into the width of the window.
  wide: function () {
    const found = [], wide = document.documentElement.scrollWidth - innerWidth;
    if (wide > 0) {
      const scrolls = (e) => e && e !== document.body && (/auto|scroll|hidden|clip/.test(getComputedStyle(e).overflowX) || scrolls(e.parentElement));
      const right = (e) => e.getBoundingClientRect().right;
      const out = [...document.querySelectorAll("body *")].filter((e) => right(e) > innerWidth && !scrolls(e)).sort((a, b) => right(b) - right(a) || (a.contains(b) ? 1 : -1)).shift();
      found.push("the page is " + wide + " pixels wider than the window of " + innerWidth + ": " + (out ? out.outerHTML.slice(0, 160) : ""));
    }
    for (const e of document.querySelectorAll("body *")) {
      if (e.scrollWidth <= e.clientWidth + 1 || e.matches("input, textarea, select") || e.clientWidth < 2) continue;
      const s = getComputedStyle(e);
      if (s.overflowX === "hidden" || s.overflowX === "clip") found.push("at " + innerWidth + " a part is cut off: " + e.outerHTML.slice(0, 160));
    }
    return found;
  },

  // double makes all text twice as large, as WeChat does at a person's wish, where
  // the page does not follow the setting of the browser.
  double: function () {
    const all = [...document.querySelectorAll("body, body *")].map((e) => [e, parseFloat(getComputedStyle(e).fontSize)]);
    if (all[0][1] > 17) return false;
    for (const [e, size] of all) e.style.fontSize = 2 * size + "px";
    return true;
  },

  // stop describes the element that has the focus: the end of the page, or where it
  // is and why a person does not see that it has the focus.
  stop: function () {
    const e = document.activeElement, r = e.getBoundingClientRect(), s = getComputedStyle(e);
    if (e === document.body || e === document.documentElement) return { end: true };
    const shown = s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2 || s.boxShadow !== "none";
    const over = document.elementFromPoint(Math.min(r.left + r.width / 2, innerWidth - 1), Math.min(Math.max(r.top, 0) + Math.min(r.height, innerHeight) / 2, innerHeight - 1));
    let fault = "";
    if (!shown) fault = "no outline";
    else if (r.width === 0 || r.height === 0) fault = "no size";
    else if (!e.matches("textarea") && (r.top < -1 || r.bottom > innerHeight + 1)) fault = "out of the window, " + r.top + " to " + r.bottom + " of " + innerHeight;
    else if (!over || !(e.contains(over) || over.contains(e))) fault = "covered by " + (over ? over.outerHTML.slice(0, 80) : "nothing");
    const known = look.seen.indexOf(e);
    if (known < 0) look.seen.push(e);
    return { html: e.outerHTML.slice(0, 160), fault: fault, known: known + 1, count: look.seen.length, header: !!e.closest("header"), top: r.top + scrollY, bottom: r.bottom + scrollY, left: r.left, right: r.right };
  },

  // begin puts the focus before everything else, and counts the elements that the
  // Tab key has to come to. The browser gives the page's own focus with its first
  // frame, and complains when another has it then.
  begin: async function () {
    const own = document.querySelector("[autofocus]");
    while (own && document.activeElement !== own) await new Promise(requestAnimationFrame);
    let n = 0;
    look.seen = [];
    look.stops = [];
    scrollTo(0, 0);
    document.body.tabIndex = -1;
    document.body.focus();
    document.body.removeAttribute("tabindex");
    const groups = {};
    for (const e of document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")) {
      if (e.disabled || e.tabIndex < 0 || e.type === "hidden" || !e.checkVisibility({ visibilityProperty: true })) continue;
      if (e.type === "radio" && groups[e.name]) continue;
      if (e.type === "radio") groups[e.name] = true;
      n++;
    }
    return n;
  },

  // end takes the focus away, and with it what is only shown to the keyboard, and
  // tells where the Tab key has been.
  end: function () {
    document.activeElement.blur();
    return look.stops;
  },
};
addEventListener("keyup", function () { if (look.stops) look.stops.push(look.stop()); });
