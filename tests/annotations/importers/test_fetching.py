"""What lies at an address, from real servers on 127.0.0.1 that answer well, badly, slowly and with bad intent."""

import datetime
import socket
import threading
import time
from ipaddress import ip_address, ip_network

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from annotations.importers import fetching, guarded_network
from annotations.importers.addresses import AddressError
from annotations.importers.fetching import Fetcher
from annotations.importers.guarded_network import StoppedError
from annotations.services import storage
from tests.annotations import files, web

DOG = files.picture(1)


@pytest.fixture(autouse=True)
def our_network(settings, tmp_path, monkeypatch):
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.IMPORT_NETWORKS = web.LOOPBACK
    monkeypatch.setattr(fetching, "PAUSES_S", (0.01, 0.01))


@pytest.fixture
def server():
    with web.serving() as running:
        yield running


@pytest.fixture
def fetcher():
    return Fetcher(threading.Event())


def refusal(fetcher: Fetcher, url: str) -> AddressError:
    with pytest.raises(AddressError) as refused:
        fetcher.fetch(url, "staging/x/1")
    assert not storage.exists("staging/x/1")
    folder = storage.local_path("staging/x")
    assert not folder.exists() or not list(folder.iterdir()), "nothing half-written stays"
    return refused.value


def test_the_bytes_at_an_address_are_stored(server, fetcher):
    server.pages["/dog.jpg"] = web.picture(DOG)
    fetcher.fetch(server.url("/dog.jpg?size=2"), "staging/x/1")
    assert storage.read("staging/x/1") == DOG
    (headers,) = server.seen
    assert headers["Host"] == f"127.0.0.1:{server.server_port}"
    assert headers["User-Agent"].startswith("Tagger/0.1.0")
    assert headers["Accept-Encoding"] == "identity"


def test_an_answer_in_chunks_and_one_without_a_length_are_read(server, fetcher):
    def chunked(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in (DOG[:100], DOG[100:]):
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        handler.wfile.write(b"0\r\n\r\n")

    server.pages["/chunked"] = chunked
    server.pages["/endless"] = lambda handler: handler.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n" + DOG)
    for number, path in enumerate(("/chunked", "/endless")):
        fetcher.fetch(server.url(path), f"staging/x/{number}")
        assert storage.read(f"staging/x/{number}") == DOG


@pytest.mark.parametrize(
    ("code", "expected", "remedy"),
    [
        (404, "address_missing", "Correct the address"),
        (410, "address_missing", "Correct the address"),
        (401, "address_forbidden", "signed"),
        (403, "address_forbidden", "send the picture as a file"),
        (204, "address_failed", "Open the address in a browser"),
        (418, "address_failed", "Open the address in a browser"),
    ],
)
def test_an_answer_that_is_no_picture_is_refused_at_once_with_a_remedy(
    server, fetcher, code, expected, remedy
):
    server.pages["/a"] = web.status(code)
    refused = refusal(fetcher, server.url("/a"))
    assert (refused.code, server.asked["/a"]) == (expected, 1)
    assert str(code) in refused.message
    assert remedy in refused.message


def test_a_web_page_is_told_from_a_picture(server, fetcher):
    server.pages["/a"] = web.picture(b"<!doctype html><p>a dog", kind="text/html; charset=utf-8")
    refused = refusal(fetcher, server.url("/a"))
    assert refused.code == "not_an_image"
    assert "copy the address of the picture" in refused.message


@pytest.mark.parametrize("code", [429, 500, 502, 503, 504])
def test_a_failure_that_may_pass_is_tried_again(server, fetcher, code):
    server.pages["/a"] = web.in_turn(web.status(code), web.status(code), web.picture(DOG))
    fetcher.fetch(server.url("/a"), "staging/x/1")
    assert storage.read("staging/x/1") == DOG
    assert server.asked["/a"] == 3


def test_a_failure_that_stays_is_refused_after_three_tries(server, fetcher):
    server.pages["/a"] = web.status(503)
    assert refusal(fetcher, server.url("/a")).code == "address_busy"
    assert server.asked["/a"] == 3


def test_a_server_may_say_how_long_it_wants_to_be_left_alone(server, monkeypatch):
    waited = []
    fetcher = Fetcher(threading.Event())
    monkeypatch.setattr(fetcher._stop, "wait", lambda seconds: bool(waited.append(seconds)))
    in_20_s = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=20)
    server.pages["/a"] = web.in_turn(
        web.status(429, headers={"Retry-After": "7"}),
        web.status(503, headers={"Retry-After": in_20_s.strftime("%a, %d %b %Y %H:%M:%S GMT")}),
        web.picture(DOG),
    )
    fetcher.fetch(server.url("/a"), "staging/x/1")
    assert 7 <= waited[0] <= 7 * 1.2
    assert 17 <= waited[1] <= 20 * 1.2


@pytest.mark.parametrize("wish", ["3600", "9" * 400, "Wed, 21 Oct 2037 07:28:00 GMT"])
def test_a_server_that_wants_to_be_left_alone_for_long_is_given_up(server, fetcher, wish):
    server.pages["/a"] = web.status(429, headers={"Retry-After": wish})
    refused = refusal(fetcher, server.url("/a"))
    assert (refused.code, server.asked["/a"]) == ("address_busy", 1)
    assert "Import it again later" in refused.message


def test_too_much_is_refused_by_its_stated_length(server, fetcher):
    def promise(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n")

    server.pages["/a"] = promise
    refused = refusal(fetcher, server.url("/a"))
    assert refused.code == "too_large"
    assert "at most 100 MB" in refused.message


def test_too_much_is_cut_off_where_no_length_is_stated(server, fetcher, monkeypatch):
    monkeypatch.setattr(fetching, "MAX_BYTES", 10_000)
    sent = []

    def flood(handler):
        handler.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n")
        while not handler.server.over.is_set():
            handler.wfile.write(b"x" * 1_000)
            sent.append(1_000)

    server.pages["/a"] = flood
    assert refusal(fetcher, server.url("/a")).code == "too_large"


@pytest.mark.parametrize("packing", ["gzip", "br", "deflate, gzip"])
def test_packed_answers_are_not_unpacked(server, fetcher, packing):
    server.pages["/a"] = web.picture(b"\x1f\x8b" + bytes(1_000), headers={"Content-Encoding": packing})
    assert refusal(fetcher, server.url("/a")).code == "address_packed"


def test_endless_headers_are_cut_off(server, fetcher):
    def headers_for_ever(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not handler.server.over.is_set():
            handler.wfile.write(b"X-Filler: " + b"x" * 1_000 + b"\r\n")

    server.pages["/a"] = headers_for_ever
    assert refusal(fetcher, server.url("/a")).code == "address_broken"


@pytest.mark.parametrize(
    "first",
    [b"", b"HTTP/1.1 200 OK\r\nX-Long: ", b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"],
    ids=["before the head", "in the head", "in the body"],
)
def test_a_server_that_drips_is_cut_off(server, fetcher, monkeypatch, first):
    monkeypatch.setattr(fetching, "WHOLE_S", 0.6)
    monkeypatch.setattr(guarded_network, "STEP_S", 0.05)
    server.pages["/a"] = web.slowly(b"H" * 5_000, every_s=0.02, first=first)
    refused = refusal(fetcher, server.url("/a"))
    assert (refused.code, server.asked["/a"]) == ("address_timeout", 1)


def test_a_server_that_falls_silent_is_tried_again_and_given_up(server, fetcher, monkeypatch):
    monkeypatch.setattr(fetching, "SILENCE_S", 0.1)
    monkeypatch.setattr(guarded_network, "STEP_S", 0.05)
    server.pages["/a"] = web.held(threading.Event(), web.picture(DOG))
    refused = refusal(fetcher, server.url("/a"))
    assert (refused.code, server.asked["/a"]) == ("address_timeout", 3)
    assert "does not answer in time" in refused.message


def test_an_answer_that_breaks_off_is_asked_for_again(server, fetcher):
    def cut(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(DOG) + DOG[:50])

    server.pages["/a"] = web.in_turn(cut, web.picture(DOG))
    fetcher.fetch(server.url("/a"), "staging/kept/1")
    assert storage.read("staging/kept/1") == DOG
    server.pages["/b"] = cut
    assert refusal(fetcher, server.url("/b")).code == "address_broken"


def test_a_port_where_nobody_listens_and_a_name_that_nobody_has_are_named(fetcher):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert refusal(fetcher, f"http://127.0.0.1:{port}/a").code == "address_unreachable"
    refused = refusal(fetcher, "http://no-such-host.invalid/a")
    assert refused.code == "host_unknown"
    assert "no-such-host.invalid" in refused.message


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1"])
def test_without_a_setting_our_own_network_is_out_of_reach(server, fetcher, settings, host):
    settings.IMPORT_NETWORKS = []
    server.pages["/a"] = web.picture(DOG)
    refused = refusal(fetcher, server.url("/a", host=host))
    assert refused.code == "private_address"
    assert "TAGGER_IMPORT_NETWORKS" in refused.message
    assert not server.asked


@pytest.mark.parametrize("host", ["[::1]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "169.254.169.254"])
def test_addresses_that_lead_inside_are_refused_before_any_connection(fetcher, settings, host, monkeypatch):
    settings.IMPORT_NETWORKS = []
    monkeypatch.setattr(socket, "create_connection", lambda *args, **kwargs: pytest.fail("connected"))
    assert refusal(fetcher, f"http://{host}/a").code == "private_address"


def names(monkeypatch, *answers: list[str]) -> list[str]:
    """Let names resolve to these addresses, the last ones from then on; the names that were asked for."""
    asked, left, really = [], list(answers), socket.getaddrinfo

    def getaddrinfo(host, port, *args, **kwargs):
        if host.replace(".", "").isdecimal():
            return really(host, port, *args, **kwargs)
        asked.append(host)
        found = left.pop(0) if len(left) > 1 else left[0]
        family = {4: socket.AF_INET, 6: socket.AF_INET6}
        return [(family[ip_address(ip).version], socket.SOCK_STREAM, 6, "", (ip, port)) for ip in found]

    monkeypatch.setattr(guarded_network.socket, "getaddrinfo", getaddrinfo)
    return asked


def test_one_address_inside_among_those_of_a_name_is_enough_to_refuse_it(
    server, fetcher, settings, monkeypatch
):
    settings.IMPORT_NETWORKS = []
    names(monkeypatch, ["93.184.216.34", "10.0.0.1"])
    assert refusal(fetcher, "http://two-faced.example/a").code == "private_address"


def test_the_connection_goes_to_the_very_address_that_was_checked(server, fetcher, settings, monkeypatch):
    """A name that answers with a good address first and with an inner one after it is looked up once only."""
    settings.IMPORT_NETWORKS = [ip_network("127.0.0.1/32")]
    server.pages["/a"] = web.picture(DOG)
    asked = names(monkeypatch, ["127.0.0.1"], ["127.0.0.2"])
    fetcher.fetch(server.url("/a", host="rebound.example"), "staging/x/1")
    assert asked == ["rebound.example"]
    assert server.seen[0]["Host"] == f"rebound.example:{server.server_port}"


def test_where_one_address_of_a_name_does_not_answer_the_next_is_tried(server, fetcher, monkeypatch):
    server.pages["/a"] = web.picture(DOG)
    names(monkeypatch, ["127.0.0.9", "127.0.0.1"])
    fetcher.fetch(server.url("/a", host="two.example"), "staging/x/1")
    assert storage.read("staging/x/1") == DOG


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed(server, fetcher, code):
    server.pages |= {"/old": web.redirect("/new", code=code), "/new": web.picture(DOG)}
    fetcher.fetch(server.url("/old"), "staging/x/1")
    assert storage.read("staging/x/1") == DOG


def test_five_redirects_are_followed_and_no_more(server, fetcher):
    server.pages |= {f"/{number}": web.redirect(f"/{number + 1}") for number in range(6)}
    server.pages["/6"] = web.picture(DOG)
    fetcher.fetch(server.url("/1"), "staging/kept/1")
    assert refusal(fetcher, server.url("/0")).code == "too_many_redirects"


@pytest.mark.parametrize(
    ("to", "code"),
    [
        ("http://127.0.0.2/secret", "private_address"),
        ("http://169.254.169.254/latest/meta-data/", "private_address"),
        ("http://[::ffff:127.0.0.1]/", "private_address"),
        ("file:///etc/passwd", "bad_address"),
        ("http://me:secret@127.0.0.1/", "address_with_password"),
    ],
)
def test_a_redirect_is_checked_like_the_address_itself(server, fetcher, settings, to, code):
    settings.IMPORT_NETWORKS = [ip_network("127.0.0.1/32")]
    server.pages["/a"] = web.redirect(to)
    refused = refusal(fetcher, server.url("/a"))
    assert refused.code == code
    assert ("It redirects to" in refused.message) == (code == "private_address")


def test_at_most_four_threads_talk_to_one_host(server, fetcher):
    four = threading.Event()

    def page(handler):
        if handler.server.now >= fetching.MAX_AT_ONE_HOST:
            four.set()
        four.wait(10)
        handler.answer(DOG)

    server.pages["/a"] = page
    threads = [
        threading.Thread(target=fetcher.fetch, args=(server.url("/a"), f"staging/x/{number}"))
        for number in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (server.asked["/a"], server.most_at_once) == (12, 4)


@pytest.mark.parametrize("kind", ["silent", "dripping", "in line"])
def test_what_is_under_way_ends_when_nobody_waits_any_more(server, kind):
    fetcher = Fetcher(threading.Event())
    server.pages["/silent"] = web.held(threading.Event(), web.picture(DOG))
    server.pages["/dripping"] = web.slowly(b"H" * 50_000, every_s=0.01)
    count = 6 if kind == "in line" else 1
    url = server.url("/dripping" if kind == "dripping" else "/silent")
    ended = []

    def fetch(number):
        try:
            fetcher.fetch(url, f"staging/x/{number}")
        except StoppedError:
            ended.append(number)

    threads = [threading.Thread(target=fetch, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    while server.now < min(count, 4):
        time.sleep(0.01)
    fetcher._stop.set()
    for thread in threads:
        thread.join()
    assert len(ended) == count


def certificate(folder, *, name: str):
    """A self-signed certificate for a name, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / f"{name}.pem"
    file.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return file


def test_tls_verifies_the_name_though_the_connection_goes_to_a_checked_address(
    fetcher, tmp_path, monkeypatch
):
    ours = certificate(tmp_path, name="pictures.example")
    names(monkeypatch, ["127.0.0.1"])
    monkeypatch.setenv("SSL_CERT_FILE", str(ours))
    with web.serving({"/a": web.picture(DOG)}, certificate=ours) as secured:
        fetcher.fetch(secured.url("/a", host="pictures.example"), "staging/kept/1")
        assert storage.read("staging/kept/1") == DOG
        refused = refusal(fetcher, secured.url("/a", host="other.example"))
        assert refused.code == "certificate"
        assert "other.example" in refused.message
        assert secured.asked["/a"] == 1


def test_a_certificate_that_nobody_vouches_for_is_refused(fetcher, tmp_path, monkeypatch):
    names(monkeypatch, ["127.0.0.1"])
    theirs = certificate(tmp_path, name="pictures.example")
    with web.serving({"/a": web.picture(DOG)}, certificate=theirs) as secured:
        refused = refusal(fetcher, secured.url("/a", host="pictures.example"))
    assert refused.code == "certificate"
    assert "Ask whoever runs the server" in refused.message
