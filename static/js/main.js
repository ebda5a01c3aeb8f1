// What every page has: the theme switch, menus that close by themselves. Pages add their own modules.
import { closeMenusByThemselves } from "lib/popover";
import { wireThemeToggles } from "lib/theme";

wireThemeToggles(document);
closeMenusByThemselves(document);
