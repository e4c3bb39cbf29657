package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
)

// console is where somebody may sit who can be asked.
type console struct {
	in         io.Reader
	isTerminal bool
}

func consoleOf(file *os.File) console { return console{in: file, isTerminal: isTerminal(file)} }

// isTerminal tells a terminal from a file, a pipe, and what programs in the background have: /dev/null is a device, too.
func isTerminal(file *os.File) bool {
	info, err := file.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	nowhere, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, nowhere)
}

// agrees asks whether to go on, and takes only a yes for one. It waits no longer than the context lives.
func (c console) agrees(ctx context.Context, question io.Writer) (bool, error) {
	fmt.Fprint(question, "Go on? [y/N] ")
	answers := make(chan string, 1)
	go func() {
		answer, _ := bufio.NewReader(c.in).ReadString('\n') // the end of the input is no yes either
		answers <- answer
	}()
	select {
	case answer := <-answers:
		answer = strings.ToLower(strings.TrimSpace(answer))
		return answer == "y" || answer == "yes", nil
	case <-ctx.Done():
		fmt.Fprintln(question)
		return false, ctx.Err()
	}
}
