/** How it looks: quiet greys, one accent, small type, the same spacing everywhere. Light and dark follow the system until told otherwise. */
import { createTheme, type MantineColorsTuple } from "@mantine/core";

const plug: MantineColorsTuple = ["#eef0ff", "#dfe2ff", "#bdc3fb", "#98a1f5", "#7983ef", "#6470eb", "#5865ea", "#4753cf", "#3d49bb", "#313da6"];

/** The list itself scrolls: between it and its options stands nothing that keys would have to reach. */
const LIST = { defaultProps: { withScrollArea: false }, styles: { options: { maxHeight: 240, overflowY: "auto" } } } as const;

export const theme = createTheme({
  primaryColor: "plug",
  primaryShade: { light: 7, dark: 6 },
  colors: { plug },
  fontFamily: "ui-sans-serif, system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif",
  fontFamilyMonospace: "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace",
  headings: { fontWeight: "600", sizes: { h1: { fontSize: "1.375rem", lineHeight: "1.3" }, h2: { fontSize: "1.0625rem", lineHeight: "1.4" }, h3: { fontSize: "0.9375rem", lineHeight: "1.4" } } },
  defaultRadius: "md",
  cursorType: "pointer",
  focusRing: "auto",
  respectReducedMotion: true,
  components: {
    Button: { defaultProps: { size: "sm" } },
    TextInput: { defaultProps: { size: "sm" } },
    Select: { ...LIST, defaultProps: { ...LIST.defaultProps, size: "sm", comboboxProps: { shadow: "md" } } },
    MultiSelect: LIST,
    Autocomplete: LIST,
    Table: { defaultProps: { verticalSpacing: 8, highlightOnHover: true } },
    // Mantine's placeholder for the first focus is a focusable thing in a menu that is no item of it; the first item is what a menu begins with.
    Menu: { defaultProps: { withInitialFocusPlaceholder: false } },
    Modal: { defaultProps: { centered: true, overlayProps: { backgroundOpacity: 0.45, blur: 2 }, closeButtonProps: { "aria-label": "Close" }, /* no banner of the page */ attributes: { header: { role: "none" } } } },
    Tooltip: { defaultProps: { openDelay: 300, withArrow: true } },
  },
});
