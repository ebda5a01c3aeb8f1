// A dialog that closes lets go of the focus at once. The browser takes it away only with the next frame: until then keys
// would still go into a field that nobody sees any more, and Enter would send what Escape had just dropped.
export function freeFocusOfClosedDialogs(root) {
  const seen = new MutationObserver((changes) => {
    for (const { target } of changes) {
      const isClosed = target instanceof HTMLDialogElement && !target.open;
      if (isClosed && target.contains(document.activeElement)) document.activeElement.blur();
    }
  });
  seen.observe(root, { attributes: true, attributeFilter: ["open"], subtree: true });
}
