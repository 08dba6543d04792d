//! Removes secrets from recordings and traces.

/// Replaces a secret.
pub(crate) const BLANK: &str = "(blanked)";

/// Elements whose text is always a secret: the properties marked `secret` in generator.input whose names have no other
/// meaning.
const SECRET: &[&str] = &[
    "password",
    "oldPassword",
    "newPassword",
    "adminPassword",
    "vimAccountPassword",
    "chapSecret",
    "mutualChapSecret",
    "keyData",
    "privateKey",
    "ticket",
    "cloneTicket",
    "sessionId",
    "sessionID",
    "base64Token",
    "licenseKey",
];

/// Blanks passwords, session keys and tickets of a SOAP message; other text is unchanged.
pub(crate) fn redact(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut open: Vec<Element<'_>> = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        let (before, tag_on) = rest.split_at(start);
        let secret = open.last().is_some_and(|element| element.secret);
        out.push_str(if secret && !before.is_empty() {
            BLANK
        } else {
            before
        });
        let (tag, after) = tag_on.split_at(tag_length(tag_on));
        rest = after;
        if secret && tag.starts_with("<!") {
            out.push_str(BLANK); // CDATA: the secret itself
            continue;
        }
        out.push_str(tag);
        if tag.starts_with("</") {
            open.pop();
        } else if !tag.ends_with("/>") && !tag.starts_with("<?") && !tag.starts_with("<!") {
            let element = Element::new(tag, open.last());
            open.push(element);
        }
    }
    let secret = open.last().is_some_and(|element| element.secret);
    out.push_str(if secret { BLANK } else { rest });
    out
}

struct Element<'a> {
    name: &'a str,
    xsi_type: &'a str,
    /// Whether this is the answer of a method that returns a session or a ticket.
    gives_secret: bool,
    secret: bool,
}

impl<'a> Element<'a> {
    fn new(tag: &'a str, parent: Option<&Element<'a>>) -> Self {
        let name = local(
            tag[1..]
                .split(|c: char| c.is_whitespace() || c == '>')
                .next()
                .unwrap_or_default(),
        );
        let xsi_type = [":type=\"", ":type='"]
            .iter()
            .find_map(|mark| tag.split_once(mark))
            .and_then(|(_, value)| value.split(['"', '\'']).next())
            .map_or("", local);
        let in_session = parent.is_some_and(|parent| {
            parent.name == "UserSession"
                || parent.xsi_type == "UserSession"
                || parent.name == "returnval" && parent.gives_secret
        });
        let in_ticket = parent.is_some_and(|parent| parent.xsi_type.ends_with("Ticket"));
        let gives_secret = match parent {
            Some(parent) if name == "returnval" => parent.gives_secret,
            _ => is_session_answer(name),
        };
        Self {
            name,
            xsi_type,
            gives_secret,
            secret: parent.is_some_and(|parent| parent.secret)
                || SECRET.contains(&name)
                || name == "value"
                    && parent.is_some_and(|parent| parent.xsi_type.ends_with("PasswordField"))
                || name == "key" && in_session
                || name == "id" && (in_session || in_ticket)
                || name == "returnval"
                    && parent.is_some_and(|parent| parent.name == "AcquireCloneTicketResponse"),
        }
    }
}

fn is_session_answer(name: &str) -> bool {
    let Some(method) = name.strip_suffix("Response") else {
        return false;
    };
    method.starts_with("Login")
        || method.starts_with("Acquire")
        || matches!(method, "CloneSession" | "ImpersonateUser")
}

fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

/// The length of the tag, comment or section that `text` begins with.
fn tag_length(text: &str) -> usize {
    for (open, close) in [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>")] {
        if text.starts_with(open) {
            return text.find(close).map_or(text.len(), |at| at + close.len());
        }
    }
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return at + 1,
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::redact;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(redact(text), expected);
    }

    #[test]
    fn passwords_are_blanked_wherever_they_are() {
        check(
            "<Login xmlns=\"urn:vim25\"><userName>root</userName><password>s&amp;cret</password></Login>",
            "<Login xmlns=\"urn:vim25\"><userName>root</userName><password>(blanked)</password></Login>",
        );
        check(
            "<v:password xsi:type='xsd:string'>a</v:password><password/><password></password>",
            "<v:password xsi:type='xsd:string'>(blanked)</v:password><password/><password></password>",
        );
        check(
            "<password><![CDATA[a<b>]]></password>x",
            "<password>(blanked)</password>x",
        );
        check(
            "<password><value>a</value></password><value>b</value>",
            "<password><value>(blanked)</value></password><value>b</value>",
        );
    }

    #[test]
    fn session_keys_are_blanked_and_other_keys_are_not() {
        check(
            "<LoginResponse><returnval><key>52ab</key><userName>root</userName></returnval></LoginResponse>",
            "<LoginResponse><returnval><key>(blanked)</key><userName>root</userName></returnval></LoginResponse>",
        );
        check(
            "<val xsi:type=\"UserSession\"><key>52ab</key></val><val xsi:type=\"VirtualDisk\"><key>2000</key></val>",
            "<val xsi:type=\"UserSession\"><key>(blanked)</key></val><val xsi:type=\"VirtualDisk\"><key>2000</key></val>",
        );
    }

    #[test]
    fn paging_tokens_stay() {
        let page = "<returnval><token>1</token></returnval>";
        check(page, page);
    }

    #[test]
    fn anything_else_stays_as_it_is() {
        for text in [
            "",
            "plain",
            "{\"a\": 1}",
            "<a b='>'>x",
            "<",
            "<!-- <password>",
            "a</b></c>",
        ] {
            check(text, text);
        }
        check("<password>cut", "<password>(blanked)");
    }
}
