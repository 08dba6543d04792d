//! SessionManager: login and logout.

use http::{Method, Uri};
use vi_types::methods::{AcquireGenericServiceTicket, Login, Logout, SessionIsActive};
use vi_types::objects::{
    BadUsernameSessionEvent, SessionManagerGenericServiceTicket,
    SessionManagerHttpServiceRequestSpec, UserLoginSessionEvent, UserLogoutSessionEvent,
    UserSession, VirtualMachineCertThumbprint,
};
use vi_types::{SoapFault, properties};

use crate::call::{Call, Row};
use crate::fault;
use crate::session::{Sessions, Ticket};
use crate::simulator::{Settings, State, end_session};

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(login).anonymous(),
        Row::new(logout),
        Row::new(session_is_active),
        Row::new(acquire_ticket),
    ]
}

/// Where all clients are.
const CLIENT: &str = "127.0.0.1";

fn login(call: &mut Call<'_>, request: &Login) -> Result<UserSession, SoapFault> {
    let client = LoginClient {
        locale: request.locale.as_deref(),
        user_agent: call.user_agent,
    };
    let begun = log_in(
        call.state,
        call.settings,
        &request.user_name,
        &request.password,
        client,
    );
    let (cookie, session) = begun.ok_or_else(fault::invalid_login)?;
    call.new_cookie = Some(cookie);
    Ok(session)
}

/// What a client says of itself when it logs in.
#[derive(Clone, Copy)]
pub(crate) struct LoginClient<'a> {
    pub(crate) locale: Option<&'a str>,
    pub(crate) user_agent: &'a str,
}

/// Begins a session: its cookie and what is told of it. `None` for a wrong name or password. Both are events.
pub(crate) fn log_in(
    state: &mut State,
    settings: &Settings,
    user: &str,
    password: &str,
    client: LoginClient<'_>,
) -> Option<(String, UserSession)> {
    let before = state.world.events.act_for(Some(user.to_owned()), None);
    let begun = try_login(state, settings, user, password, client);
    state.world.events.act_for(before.0, before.1);
    begun
}

fn try_login(
    state: &mut State,
    settings: &Settings,
    user: &str,
    password: &str,
    client: LoginClient<'_>,
) -> Option<(String, UserSession)> {
    let server = state.world.about_server();
    if user != settings.user || password != settings.password {
        let event = BadUsernameSessionEvent {
            ip_address: CLIENT.to_owned(),
            ..BadUsernameSessionEvent::default()
        };
        state.world.log_about(&server, event);
        return None;
    }
    let (cookie, session) = state.sessions.begin(user, client.locale, client.user_agent);
    let event = UserLoginSessionEvent {
        ip_address: CLIENT.to_owned(),
        user_agent: session.user_agent.clone().filter(|_| state.world.since("5.1")),
        locale: session.locale.clone(),
        session_id: session.key.clone(),
        ..UserLoginSessionEvent::default()
    };
    state.world.log_about(&server, event);
    Some((cookie, session))
}

/// A ticket for one request for a file: at the address of a host, if the URL has one, or else at the server's own.
fn acquire_ticket(
    call: &mut Call<'_>,
    request: &AcquireGenericServiceTicket,
) -> Result<SessionManagerGenericServiceTicket, SoapFault> {
    let spec = request.spec.cast::<SessionManagerHttpServiceRequestSpec>();
    let spec = spec.ok_or_else(|| fault::invalid_argument("spec"))?;
    let method = match spec.method.as_deref() {
        None | Some("httpGet") => Method::GET,
        Some("httpHead") => Method::HEAD,
        Some("httpPut") => Method::PUT,
        Some("httpDelete") => Method::DELETE,
        Some("httpPost") => Method::POST,
        Some("httpOptions") => Method::OPTIONS,
        Some("httpTrace") => Method::TRACE,
        Some("httpConnect") => Method::CONNECT,
        Some(_) => return Err(fault::invalid_argument("spec.method")),
    };
    let invalid = || fault::invalid_argument("spec.url");
    let url: Uri = spec.url.parse().map_err(|_| invalid())?;
    let authority = url.authority().ok_or_else(invalid)?;
    let target = url.path_and_query().map_or("/", |target| target.as_str());
    let address = call.state.hosts.at(authority);
    let host = address.map(|address| address.host.clone());
    let host_name = address.map(|address| address.address.ip().to_string());
    let sha1 = address.and_then(|address| address.sha1.clone());
    let sha256 = address.and_then(|address| address.sha256.clone());
    let id = call.state.sessions.issue(Ticket {
        method,
        target: target.to_owned(),
        host,
    });
    Ok(SessionManagerGenericServiceTicket {
        id,
        host_name,
        ssl_thumbprint: sha1,
        cert_thumbprint_list: sha256
            .map(|thumbprint| VirtualMachineCertThumbprint {
                thumbprint,
                hash_algorithm: Some("sha256".to_owned()),
                ..VirtualMachineCertThumbprint::default()
            })
            .into_iter()
            .collect(),
        ..SessionManagerGenericServiceTicket::default()
    })
}

fn logout(call: &mut Call<'_>, _: &Logout) -> Result<(), SoapFault> {
    let session = call.cookie.and_then(|cookie| call.state.sessions.with_cookie(cookie));
    let session = session.cloned();
    if let Some(key) = call
        .cookie
        .and_then(|cookie| call.state.sessions.end(cookie))
    {
        end_session(call.state, &key);
    }
    if let Some(session) = session {
        let world = &mut call.state.world;
        let since_5_1 = world.since("5.1");
        let event = UserLogoutSessionEvent {
            ip_address: session.ip_address.filter(|_| since_5_1),
            user_agent: session.user_agent.filter(|_| since_5_1),
            call_count: session.call_count.filter(|_| since_5_1),
            session_id: Some(session.key).filter(|_| since_5_1),
            login_time: Some(session.login_time).filter(|_| since_5_1),
            ..UserLogoutSessionEvent::default()
        };
        let server = world.about_server();
        world.log_about(&server, event);
    }
    Ok(())
}

fn session_is_active(
    call: &mut Call<'_>,
    request: &SessionIsActive,
) -> Result<bool, SoapFault> {
    Ok(call
        .state
        .sessions
        .all()
        .any(|session| session.key == request.session_id && session.user_name == request.user_name))
}

/// The properties as the holder of a cookie sees them.
pub(crate) fn properties(
    stored: &properties::SessionManager,
    sessions: &Sessions,
    cookie: Option<&str>,
) -> properties::SessionManager {
    let own = cookie.and_then(|cookie| sessions.with_cookie(cookie));
    properties::SessionManager {
        current_session: own.map(|session| session.clone().into()),
        session_list: match own {
            Some(_) => sessions.all().cloned().collect(),
            None => Vec::new(),
        },
        ..stored.clone()
    }
}
