// Reads a DSN: where events go, and the key that they go with.

package obs

import (
	"errors"
	"net/url"
	"regexp"
	"strconv"
)

var validKey = regexp.MustCompile(`^[A-Za-z0-9_-]{1,200}$`)

// parseDSN answers the URL to post to, and the key. Its errors quote nothing, since the DSN holds the key.
func parseDSN(dsn string) (endpoint, key string, err error) {
	u, err := url.Parse(dsn)
	if err != nil || dsn == "" || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return "", "", errors.New("the DSN is not http://KEY@HOST:PORT")
	}
	if port, err := strconv.Atoi(u.Port()); u.Port() != "" && (err != nil || port < 1 || port > 65535) {
		return "", "", errors.New("the DSN's port is not from 1 to 65535")
	}
	if _, password := u.User.Password(); password || !validKey.MatchString(u.User.Username()) {
		return "", "", errors.New("the DSN has no key, 1 to 200 of A-Z a-z 0-9 _ - before the @")
	}
	return u.Scheme + "://" + u.Host + "/api/events", u.User.Username(), nil
}
