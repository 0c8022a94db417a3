S0P47icAVU5JMeSb/G08foD/Xln/0mWgw+X/eaZeiLG7LXm8ahXlp/r8q+6AlxO5wm8/4eRb2mrldyxk1ZuNBw==
