// Parsing of DSNs.

package obs

import (
	"errors"
	"net/url"
	"regexp"
	"strconv"
)

var validKey = regexp.MustCompile(`^[A-Za-z0-9_-]{1,200}$`)

// parseDSN returns the URL that events are posted to, and the key. Its errors do not quote the DSN,
// which contains the key.
func parseDSN(dsn string) (endpoint, key string, err error) {
	u, err := url.Parse(dsn)
	if err != nil || dsn == "" || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return "", "", errors.New("the DSN must have the form http://KEY@HOST:PORT")
	}
	if port, err := strconv.Atoi(u.Port()); u.Port() != "" && (err != nil || port < 1 || port > 65535) {
		return "", "", errors.New("the DSN's port must be between 1 and 65535")
	}
	if _, password := u.User.Password(); password || !validKey.MatchString(u.User.Username()) {
		return "", "", errors.New("the DSN's key must be 1 to 200 characters from A-Z a-z 0-9 _ -")
	}
	return u.Scheme + "://" + u.Host + "/api/events", u.User.Username(), nil
}
