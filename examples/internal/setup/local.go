package setup

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A program that serves a page asks nobody who they are: authentication is the application's. So only this machine can reach it.

// LocalAddress returns the address to listen at, if only this machine can reach it.
func LocalAddress(text string) (string, error) {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return "", errors.New("no address, such as 127.0.0.1:8081")
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", errors.New("no port, such as the 8081 of 127.0.0.1:8081")
	}
	if host == "localhost" {
		host = "127.0.0.1" // whatever the machine makes of that name
	}
	if ip, err := netip.ParseAddr(host); err != nil || !ip.IsLoopback() {
		return "", errors.New("others could reach it, and it asks nobody who they are: use 127.0.0.1, [::1] or localhost")
	}
	return net.JoinHostPort(host, port), nil
}

// Listen says what to do about the mistake that is made most.
func Listen(ctx context.Context, address string) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("the address %s is taken by another program; choose another one, such as localhost:0 (any free port)",
			address)
	}
	return listener, err
}

// How long a connection may take for what, and the end.
const (
	headerTime   = 5 * time.Second
	idleTime     = 2 * time.Minute
	shutdownTime = 5 * time.Second
)

// Serve answers until the context ends, which is no error, and lets the answers that are on their way arrive.
func Serve(ctx context.Context, listener net.Listener, page http.Handler) error {
	server := &http.Server{
		Handler:           page,
		ReadHeaderTimeout: headerTime,
		ReadTimeout:       headerTime,
		IdleTimeout:       idleTime,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	if err := server.Shutdown(limited); err != nil {
		return server.Close()
	}
	return nil
}

// LocalPage guards what is served to browsers on this machine. What a page of another site asks for in somebody's name is refused, and so
// is what is for another host: somebody else's could have its name point here. The policy is the page's Content-Security-Policy; it is
// shown in no frame, and kept nowhere.
func LocalPage(policy string, page http.Handler) http.Handler {
	page = forThisMachine(http.NewCrossOriginProtection().Handler(page))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy+"; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin") // with less, a browser hides from us where a request comes from
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		page.ServeHTTP(w, r)
	})
}

func forThisMachine(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isThisMachine(r.Host) {
			http.Error(w, "this page is for 127.0.0.1, [::1] and localhost alone", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func isThisMachine(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.TrimSuffix(strings.TrimPrefix(hostport, "["), "]")
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
