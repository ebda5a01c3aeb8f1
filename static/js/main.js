// What every page has: the theme switch, menus that close by themselves, dialogs that give the keys back. Pages add their
// own modules.
import { freeFocusOfClosedDialogs } from "lib/dialogs";
import { closeMenusByThemselves } from "lib/popover";
import { wireThemeToggles } from "lib/theme";

wireThemeToggles(document);
closeMenusByThemselves(document);
freeFocusOfClosedDialogs(document);
