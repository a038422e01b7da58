"""Path classes, told from text alone, with both kinds of error in view."""

import posixpath
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letsbe.policy.paths import PathClass, holds_secrets, normal_path, path_class

ROOT = Path("/srv/work")


def classify(path: str, cwd: str = "/srv/work") -> PathClass:
    return path_class(path, cwd=cwd, roots=(ROOT,), forbidden=(Path("/srv/work/own"),))


_SECRET = """
/etc/shadow  /etc/shadow-  /etc/gshadow  ../../etc/shadow  /etc/./ssl/../shadow
//etc//shadow  /mnt/etc/shadow  /etc/sudoers  /etc/sudoers.d/admins
/var/backups/shadow.bak  /etc/ssl/private/site.key  /etc/letsencrypt/live/a.b/x.pem
~/.ssh/id_ed25519  ~root/.ssh  ~kim/.bash_history  /home/kim/.ssh/config  ~-/x  ~+/x
.env  .env.production  sub/.env  prod.env  ./.env.local  .envrc
/root/.aws/credentials  ~/.azure/x  ~/.config/gcloud/access_tokens.db  ~/.kube/config
~/.netrc  ~/.pgpass  ~/.my.cnf  ~/.npmrc  ~/.pypirc  ~/.git-credentials
~/.docker/config.json  server.pem  tls.key  id_rsa  id_rsa.old  keys/deploy.key
/proc/1/environ  /proc/self/environ  /proc/self/root/etc/passwd  /proc/7/fd/3
/proc/self/task/9/environ  /proc/kcore  /dev/mem  /run/secrets/db  /var/run/secrets/x
~/.mysql_history  ~/.psql_history  ~/.zsh_history  ~/.python_history
~/.rediscli_history  ~/.openclaw/openclaw.json  ~/.letsbe/vault.key  /srv/work/own
own/x  own/../own
/etc/wireguard/wg0.conf  wp-config.php  terraform.tfstate
/etc/*  /etc/sh*  /etc/sh?dow  /etc/sh[a]dow  /e?c/shadow  /*/shadow  /*/*
/etc/{shadow,x}  *.pem  *.p?m  *.ke*  .e*  .*  ~/.*  id_*  *rsa  /home/*/.ssh/id_rsa
~/.s*/config  *.env
/proc/*/environ  /proc/[0-9]*/environ  o?n/x  ow*  */x  **  **/shadow  .env*  cred*.json
"""

_NOT_SECRET = """
README.md  src/main.py  .  ..  docs/keyboard.md  monkey.txt  environment.yml  env.py
.env.example  .env.sample  .envoy  id_rsa.pub  keys.md  key  shadow.css  pem.txt
.github  package.json  *.py  *.json  *.log  *.md  src/*.ts  a/b/*.yml  data*.csv
report-?.txt
/etc/passwd  /etc/hosts  /etc/nginx/nginx.conf  /etc/*.conf  /etc/nginx/*
/etc/ssl/certs/a.pem  /etc/ssl/certs/*.pem  /var/log/syslog  /var/log/*
/var/log/*.gz  /proc/cpuinfo
/proc/1/status  /proc/*/status  /usr/share/doc/x.pem  fullchain.pem  cert.pem
~/notes.txt  ~  /tmp/x
docker-compose.yml  /etc/ssh/sshd_config  config.json  history.md  bash_history.md
"""


@pytest.mark.parametrize("path", _SECRET.split())
def test_secret(path: str) -> None:
    assert classify(path) is PathClass.SECRET


@pytest.mark.parametrize("path", _NOT_SECRET.split())
def test_not_secret(path: str) -> None:
    # Without a forbidden folder beside them, as `*` could mean it.
    assert path_class(path, cwd="/srv/work", roots=(ROOT,)) < PathClass.SECRET


@pytest.mark.parametrize("path", ["*", "**", "*/x", "*.*", "?*"])
def test_a_bare_glob_is_judged_by_its_folder(path: str) -> None:
    assert path_class(path, cwd="/srv/work", roots=(ROOT,)) is PathClass.WORKSPACE
    assert path_class(path, cwd="/etc", roots=(ROOT,)) >= PathClass.SYSTEM


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("notes.txt", PathClass.WORKSPACE),
        ("/srv/work", PathClass.WORKSPACE),
        ("/srv/work/a/../b", PathClass.WORKSPACE),
        ("/srv/workshop", PathClass.OTHER),
        ("../x", PathClass.OTHER),
        ("~/x", PathClass.OTHER),
        ("/tmp/x", PathClass.OTHER),
        ("/var/tmp/x", PathClass.OTHER),
        ("/dev/null", PathClass.OTHER),
        ("/dev/shm/x", PathClass.OTHER),
        ("/", PathClass.SYSTEM),
        ("/srv", PathClass.SYSTEM),
        ("/etc/hosts", PathClass.SYSTEM),
        ("/usr/bin/ls", PathClass.SYSTEM),
        ("/var/log/x", PathClass.SYSTEM),
        ("/dev/sda", PathClass.DEVICE),
        ("/dev", PathClass.DEVICE),
        ("/dev/tcp/10.0.0.1/80", PathClass.DEVICE),
        ("/var/run/docker.sock", PathClass.DEVICE),
    ],
)
def test_class(path: str, expected: PathClass) -> None:
    assert path_class(path, cwd="/srv/work", roots=(ROOT,)) is expected


@pytest.mark.parametrize("path", ["{a,b}", "~", "~-", "[.]env", "id_*", "x?.p?m"])
def test_a_literal_name_is_no_glob(path: str) -> None:
    def of(*, literal: bool) -> PathClass:
        return path_class(path, cwd="/srv/work", roots=(ROOT,), literal=literal)

    assert of(literal=True) is PathClass.WORKSPACE
    assert of(literal=False) > PathClass.WORKSPACE


@pytest.mark.parametrize("path", [".env", "a[1]/.ssh/x", "x*.pem", "id_rsa?"])
def test_a_literal_name_is_secret_by_its_name(path: str) -> None:
    found = path_class(path, cwd="/srv/work", roots=(ROOT,), literal=True)
    assert found is PathClass.SECRET


def test_longest_place_decides_between_root_and_system() -> None:
    def of(path: str, root: str) -> PathClass:
        return path_class(path, cwd="/", roots=(Path(root),))

    assert of("/etc/hosts", "/") is PathClass.SYSTEM
    assert of("/data/x", "/") is PathClass.WORKSPACE
    assert of("/etc/nginx/x", "/etc/nginx") is PathClass.WORKSPACE
    assert of("/", "/") is PathClass.SYSTEM
    assert of("/srv", "/srv") is PathClass.WORKSPACE


@pytest.mark.parametrize("path", ["", "a\0b", "x" * 5000])
def test_what_cannot_be_opened_counts_as_the_worst(path: str) -> None:
    assert classify(path) is PathClass.SECRET


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", True),
        ("/etc", True),
        ("/etc/", True),
        ("/home", True),
        ("/home/kim", True),
        ("~", True),
        ("/root", True),
        ("/proc", True),
        ("/srv", True),  # a forbidden folder lies below
        ("/srv/work", True),
        ("src", False),
        ("/etc/nginx", False),
        ("/var/log", False),
        ("/usr", False),
        (".ssh", True),
    ],
)
def test_holds_secrets(path: str, expected: bool) -> None:
    forbidden = (Path("/srv/work/own"),)
    found = holds_secrets(path, cwd="/srv/work", roots=(ROOT,), forbidden=forbidden)
    assert found is expected


_PARTS = st.sampled_from(
    ["a", "..", ".", "", "etc", "shadow", "*", ".ssh", "x.pem", "srv", "work", "own"]
)
PATHS = st.lists(_PARTS, min_size=1, max_size=7).map("/".join).filter(bool)


@given(PATHS)
def test_spelling_does_not_change_the_class(path: str) -> None:
    plain = normal_path(path, "/srv/work")
    assert posixpath.isabs(plain)
    assert not plain.startswith("//")
    assert classify(path) is classify(plain)
    assert classify("/srv/work/./" + path) is classify("./" + path)


@given(PATHS.filter(lambda p: "*" not in p), st.data())
def test_a_glob_that_spells_a_letter_never_lowers_secret(
    path: str, data: st.DataObject
) -> None:
    if classify(path) is not PathClass.SECRET:
        return
    plain = normal_path(path, "/srv/work")
    letters = [i for i, c in enumerate(plain) if c.isalpha()]
    at = data.draw(st.sampled_from(letters))
    glob = plain[:at] + data.draw(st.sampled_from("*?")) + plain[at + 1 :]
    if "/*/" in glob + "/" or "/?/" in glob + "/":
        return  # a bare glob says nothing; its folder is judged
    assert classify(glob) is PathClass.SECRET


@given(st.text(max_size=60))
def test_any_text_has_a_class(path: str) -> None:
    assert classify(path) in PathClass
    assert holds_secrets(path, cwd="/srv/work", roots=(ROOT,)) in {True, False}


def test_a_glob_made_to_be_slow_is_not() -> None:
    started = time.thread_time()
    for glob in ("*a" * 120, "?*" * 120, "*/" * 120 + "*.x", "*e" * 5000):
        classify(glob)
    assert time.thread_time() - started < 1
