// Paper cannot be unfolded: everything is open while the page is printed.
addEventListener("beforeprint", () => {
  for (const each of document.querySelectorAll("details:not([open])")) each.open = each.printed = true;
});
addEventListener("afterprint", () => {
  for (const each of document.querySelectorAll("details")) if (each.printed) each.open = each.printed = false;
});
