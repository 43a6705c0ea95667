(function () {
  "use strict";
  var form = document.querySelector("form.filter");
  if (!form) return;
  var status = document.getElementById("by-status"), words = document.getElementById("by-words"), shown = document.getElementById("shown");
  var findings = document.querySelectorAll("article.finding"), groups = document.querySelectorAll("section.group");
  function apply() {
    var wanted = status.value, text = words.value.trim().toLowerCase(), count = 0, filtering = wanted || text;
    findings.forEach(function (each) {
      var named = each.parentNode.querySelector("h3").textContent + " " + each.textContent;
      var keep = (!wanted || each.dataset.status === wanted) && (!text || named.toLowerCase().indexOf(text) >= 0);
      each.hidden = !keep;
      if (keep) count += 1;
    });
    groups.forEach(function (group) {
      var named = group.querySelector("h3").textContent.toLowerCase().indexOf(text) >= 0;
      group.hidden = filtering && !group.querySelector("article.finding:not([hidden])") && !(text && !wanted && named);
    });
    shown.textContent = filtering ? count + " of " + findings.length + " shown in full" : "";
  }
  form.hidden = false;
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  status.addEventListener("change", apply);
  words.addEventListener("input", apply);
  function unfold() {
    var target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (var each = target && target.parentNode; each; each = each.parentNode) if (each.tagName === "DETAILS") each.open = true;
    if (target) target.scrollIntoView();
  }
  window.addEventListener("hashchange", unfold);
  unfold();
})();
