//! SessionManager: login and logout.

use vi_types::methods::{Login, Logout, SessionIsActive};
use vi_types::objects::{
    BadUsernameSessionEvent, UserLoginSessionEvent, UserLogoutSessionEvent, UserSession,
};
use vi_types::{SoapFault, properties};

use crate::call::{Call, Row};
use crate::fault;
use crate::session::Sessions;
use crate::simulator::end_session;

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(login).anonymous(),
        Row::new(logout),
        Row::new(session_is_active),
    ]
}

/// Where all clients are.
const CLIENT: &str = "127.0.0.1";

fn login(call: &mut Call<'_>, request: &Login) -> Result<UserSession, SoapFault> {
    let settings = call.settings;
    let server = call.state.world.about_server();
    let events = &mut call.state.world.events;
    events.act_for(Some(request.user_name.clone()), None);
    if request.user_name != settings.user || request.password != settings.password {
        let event = BadUsernameSessionEvent {
            ip_address: CLIENT.to_owned(),
            ..BadUsernameSessionEvent::default()
        };
        call.state.world.log_about(&server, event);
        return Err(fault::invalid_login());
    }
    let locale = request.locale.as_deref();
    let (cookie, session) = call.state.sessions.begin(&request.user_name, locale);
    call.new_cookie = Some(cookie);
    let event = UserLoginSessionEvent {
        ip_address: CLIENT.to_owned(),
        user_agent: session.user_agent.clone().filter(|_| call.state.world.since("5.1")),
        locale: session.locale.clone(),
        session_id: session.key.clone(),
        ..UserLoginSessionEvent::default()
    };
    call.state.world.log_about(&server, event);
    Ok(session)
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
