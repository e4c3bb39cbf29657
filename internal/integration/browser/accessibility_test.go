package browser

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/stretchr/testify/assert"
)

// node is a part of the page as a screen reader has it.
type node struct {
	role, name string
	properties map[string]string
}

// tree is the page as a screen reader has it.
func (b *tab) tree() []node {
	b.Helper()
	call(b, accessibility.Enable, cdp.Empty{})
	var nodes []node
	for _, n := range call(b, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{}).Nodes {
		if n.Ignored {
			continue
		}
		read := node{role: text(n.Role), name: text(n.Name), properties: map[string]string{}}
		for _, p := range n.Properties {
			read.properties[string(p.Name)] = text(p.Value)
		}
		nodes = append(nodes, read)
	}
	return nodes
}

func text(v *accessibility.Value) string {
	if v == nil {
		return ""
	}
	var s string
	if json.Unmarshal(v.Value, &s) != nil {
		return string(v.Value)
	}
	return s
}

func count(nodes []node, is func(node) bool) int {
	n := 0
	for _, node := range nodes {
		if is(node) {
			n++
		}
	}
	return n
}

func role(role string) func(node) bool { return func(n node) bool { return n.role == role } }
func named(role, name string) func(node) bool {
	return func(n node) bool { return n.role == role && n.name == name }
}

// controls are what a person acts on, and what is said of each must tell what it does.
var controls = map[string]bool{"link": true, "button": true, "searchbox": true, "textbox": true, "combobox": true, "option": true}

func TestAScreenReaderIsToldWhatThereIs(t *testing.T) {
	t.Parallel()
	for _, width := range []int64{phone, desktop} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			t.Parallel()
			b := open(t, width)
			b.visit("/?sort=status&dir=desc&page=2")
			nodes := b.tree()

			for _, n := range nodes {
				if controls[n.role] {
					assert.NotEmpty(t, n.name, "a %s without a name", n.role)
				}
			}
			for _, landmark := range []func(node) bool{
				role("banner"), role("main"), role("search"), role("contentinfo"), named("navigation", "Pages"),
				named("region", "Figures"), named("region", "Accounts"), named("region", "Latest changes"), named("region", "Failures"),
			} {
				assert.Equal(t, 1, count(nodes, landmark))
			}
			assert.Equal(t, 1, count(nodes, func(n node) bool { return n.role == "heading" && n.properties["level"] == "1" }))
			assert.Equal(t, 4, count(nodes, func(n node) bool { return n.role == "heading" && n.properties["level"] == "2" }))

			// A table stays one on a phone, where it looks like cards.
			assert.Equal(t, 1, count(nodes, named("table", "Accounts, sorted by Status, descending, page 2 of 100")))
			assert.Equal(t, 1+50, count(nodes, role("row")))
			assert.Equal(t, 4, count(nodes, role("columnheader")))
			assert.Equal(t, 50, count(nodes, role("rowheader")))
			assert.Equal(t, 50*3, count(nodes, role("cell")))
			assert.Equal(t, "descending", get[string](b, `document.querySelector('[aria-sort]').ariaSort`))

			assert.Equal(t, 1, count(nodes, func(n node) bool { return n.role == "status" && n.properties["live"] == "polite" }),
				"how many there are is said when it changes")
			assert.Equal(t, 1, count(nodes, named("searchbox", "Name, SID or document")))
			assert.Equal(t, 1, count(nodes, named("combobox", "Status")))
			assert.Equal(t, 1, count(nodes, named("combobox", "Type")))
			assert.Equal(t, 1, count(nodes, named("button", "Refresh the figures")))
			assert.Equal(t, 1, count(nodes, named("link", "12 Suspended")))
			assert.Equal(t, 1, count(nodes, named("link", "Page 2")))
			assert.Equal(t, "en", get[string](b, `document.documentElement.lang`))
		})
	}
}
