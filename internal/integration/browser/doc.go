// Package browser opens the pages of the example programs in a real browser, headless, as a person and as a screen reader would.
package browser
